import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { headerNames } from '../../../../pkg/context/index.ts';

const wellFormed = /^[\w.:-]{1,128}$/;
const prefix = randomBytes(6).toString('base64url');
let count = 0;

/**
 * @param headers of a request
 * @returns the caller's own id when it is well-formed, otherwise a new one: random per process, then counted, which is
 * cheaper than a UUID per request
 */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headerOf(headers, headerNames.id);
  if (given !== undefined && wellFormed.test(given)) return given;
  count += 1;
  return `${prefix}-${count.toString(36)}`;
}

/**
 * @param headers of a request
 * @param name in lower case
 * @returns its value, if it is there
 */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
