import type { IncomingMessage } from 'node:http';
import { Denial } from './denial.ts';

/** Scheme, and a token of the characters that RFC 6750, 2.1 allows. */
const bearer = /^bearer +([\w\-.~+/]+=*)$/i;

/**
 * Reads the token of a request: from the Authorization header and from nowhere else. In a URL it would end up in logs and
 * histories (RFC 6750, 5.3).
 * @param request as it came in
 * @param limit the longest token that is accepted, in bytes
 * @returns the token; nothing of it is checked
 * @throws {Denial} when there is none, when it is too long, or when the header is malformed or repeated
 */
export function bearerToken({ headers, rawHeaders }: IncomingMessage, limit: number): string {
  const { authorization } = headers;
  if (authorization === undefined) throw new Denial('token_missing');
  // Node keeps the first of several and drops the others: a proxy may have looked at another one.
  if (isRepeated(rawHeaders)) throw new Denial('header_repeated');
  if (!/^bearer( |$)/i.test(authorization)) throw new Denial('token_missing');
  if (authorization.length > limit + 'Bearer '.length) throw new Denial('token_oversized');
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) throw new Denial('header_malformed');
  return token;
}

/**
 * @param limit the longest token that is accepted, in bytes
 * @param token as it came by another way than HTTP
 * @returns the token; nothing else of it is checked
 * @throws {Denial} when there is none, or when it is too long
 */
export function within(limit: number, token: string | undefined): string {
  if (token === undefined || token === '') throw new Denial('token_missing');
  if (token.length > limit) throw new Denial('token_oversized');
  return token;
}

function isRepeated(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 'authorization'.length && name.toLowerCase() === 'authorization') count += 1;
  }
  return count > 1;
}
