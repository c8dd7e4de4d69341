import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Carries the id in requests and in replies. */
export const requestIdHeader = 'x-request-id';

const wellFormed = /^[\w.:-]{1,128}$/;
const prefix = randomBytes(6).toString('base64url');
let count = 0;

/**
 * @param request as it came in
 * @returns the caller's own id when it is well-formed, otherwise a new one: random per process, then counted, which is
 * cheaper than a UUID per request
 */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers[requestIdHeader];
  if (typeof given === 'string' && wellFormed.test(given)) return given;
  count += 1;
  return `${prefix}-${count.toString(36)}`;
}
