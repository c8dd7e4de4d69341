import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Gives a reply to GET or HEAD an ETag (RFC 9110, 8.8.3), unless its route has set one. A weak one: the same content may go out
 * compressed or not.
 * @param request its If-None-Match is compared
 * @param reply gets the header; becomes a 304 when the caller has this content already
 * @param payload what would be sent
 * @returns whether it is not to be sent
 */
export function isUnchanged(request: FastifyRequest, reply: FastifyReply, payload: string | Buffer): boolean {
  if (reply.statusCode !== 200 || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
  const given = reply.getHeader('etag');
  const tag = typeof given === 'string' ? given : `W/"${hash('sha1', payload, 'base64url')}"`;
  reply.header('etag', tag);
  const { 'if-none-match': known } = request.headers;
  if (known === undefined || !matches(known, tag)) return false;
  reply.code(304).removeHeader('content-type');
  return true;
}

/** The weak comparison of RFC 9110, 13.1.2. */
function matches(known: string, tag: string): boolean {
  return known.trim() === '*' || known.split(',').some((each) => opaque(each) === opaque(tag));
}

function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}
