import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isBodyDue } from './body.ts';
import { closeAfter } from './connections.ts';
import type { Http } from './types.ts';

/**
 * Adds a name to the Vary header (RFC 9110, 12.5.5).
 * @param reply that depends on a header of its request
 * @param header name of that header
 */
export function vary(reply: FastifyReply, header: string): void {
  const given = reply.getHeader('vary');
  const names = given === undefined ? [] : String(given).split(/\s*,\s*/);
  if (names.some((name) => name.toLowerCase() === header.toLowerCase())) return;
  reply.header('vary', [...names, header].join(', '));
}

/**
 * Adds an ETag to replies to GET, answers HEAD for every kind of reply, and closes connections whose request is not worth reading.
 * @param http the API's server
 * @param bodyLimit bytes up to which the rest of a request is read after its reply
 */
export function replies(http: Http, bodyLimit: number): void {
  http.addHook('onSend', (request, reply, given: unknown, done) => {
    closeIfBodyDue(request, reply, bodyLimit);
    const payload = isResponse(given) ? contentOf(given, reply) : given;
    const isText = typeof payload === 'string' || Buffer.isBuffer(payload);
    request.callContext.isReplying = isText || !payload;
    const isKnown = isText && isUnchanged(request, reply, payload);
    if (request.method !== 'HEAD') return done(null, isKnown ? null : payload);
    if (isText && !isKnown) return done(null, payload);
    // Fastify reads a stream to its end, which an endless one does not have, and counts the bytes of anything else.
    if (payload instanceof Readable) payload.destroy();
    else if (payload instanceof ReadableStream) void payload.cancel().catch(() => undefined);
    return done(null, Readable.from([]));
  });
}

/** Closes the connection after the reply if the rest of the body is large, endless or too slow. Node would go on reading it. */
function closeIfBodyDue({ headers, raw }: FastifyRequest, reply: FastifyReply, limit: number): void {
  const isLong = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > limit;
  if ((isLong || reply.statusCode === 408) && isBodyDue(raw)) closeAfter(reply);
}

/** As Fastify recognises it: libraries bring classes of their own. */
function isResponse(payload: unknown): payload is Response {
  return typeof payload === 'object' && Object.prototype.toString.call(payload) === '[object Response]';
}

/** Headers of a reply that was fetched, and decoded: they do not fit what is sent on. */
const ofConnection = new Set(['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding']);

/** Takes over status and headers as Fastify does, which forwards the encoding of a reply that `fetch` has decoded, and fails for HEAD. */
function contentOf({ status, headers, body, type }: Response, reply: FastifyReply): Readable | null {
  reply.code(status);
  const isFetched = type !== 'default';
  for (const [name, value] of headers) if (!isFetched || !ofConnection.has(name)) reply.header(name, value);
  return body && Readable.fromWeb(body);
}

/**
 * Sets the ETag (RFC 9110, 8.8.3), unless the route has set one. It is weak, because a proxy may compress the same content.
 * @returns whether the client has this content already; the reply is then a 304
 */
function isUnchanged(request: FastifyRequest, reply: FastifyReply, payload: string | Buffer): boolean {
  if (reply.statusCode !== 200 || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
  const given = reply.getHeader('etag');
  const tag = typeof given === 'string' ? given : `W/"${hash('sha1', payload, 'base64url')}"`;
  reply.header('etag', tag);
  const known = request.headers['if-none-match']?.split(',').map(opaque);
  if (known === undefined || !(known.includes('*') || known.includes(opaque(tag)))) return false;
  reply.code(304).removeHeader('content-type');
  return true;
}

/** For the weak comparison of RFC 9110, 13.1.2. */
function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}
