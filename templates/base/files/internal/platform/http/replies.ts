import { hash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { brotliCompress, type CompressCallback, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { closeIfBodyDue } from './body.ts';
import type { config } from './config.ts';
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
 * Adds an ETag to replies to GET and compresses large ones. @fastify/etag and @fastify/compress need several hooks and are slower:
 * decision 020.
 * @param http the API's server
 * @param settings smallest size for compression, and largest size of a request body
 */
export function replyBody(http: Http, settings: Static<typeof config>): void {
  const { HTTP_COMPRESS_FROM_BYTES: compressFrom, HTTP_BODY_LIMIT_BYTES: bodyLimit } = settings;
  http.addHook('onSend', (request, reply, given: unknown, done) => {
    closeIfBodyDue(request, reply, bodyLimit);
    const payload = isResponse(given) ? contentOf(given, reply) : given;
    if (payload instanceof Readable) {
      const encoding = encodingFor(request, reply);
      if (request.method === 'HEAD') return done(null, headOf(payload));
      if (encoding === undefined) return done(null, payload);
      return done(
        null,
        // An error of one stream destroys the other.
        pipeline(payload, encoders[encoding].stream(), () => undefined),
      );
    }
    if (payload === null || payload === undefined) return done(null, request.method === 'HEAD' ? headOf() : payload);
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload);
    if (isUnchanged(request, reply, payload)) return done(null, request.method === 'HEAD' ? headOf() : null);
    const encoding = payload.length < compressFrom ? undefined : encodingFor(request, reply);
    if (encoding === undefined) return done(null, payload);
    encoders[encoding].whole(payload, (error, bytes) => {
      // The handler has sent another reply in the meantime.
      if (reply.sent) return;
      try {
        if (error === null) done(null, bytes);
        else done(error);
      } catch (fault) {
        // For example a header that cannot be sent. Nothing else catches errors of this callback.
        reply.send(fault);
      }
    });
  });
}

/** As Fastify recognises it: libraries bring classes of their own. */
function isResponse(payload: unknown): payload is Response {
  return typeof payload === 'object' && Object.prototype.toString.call(payload) === '[object Response]';
}

/** Headers of a reply that was fetched, and decoded: they do not fit what is sent on. */
const ofConnection = new Set(['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding']);

/** Takes over status and headers, and returns the body as a stream, which can be compressed or left out for HEAD. */
function contentOf({ status, headers, body, bodyUsed, type }: Response, reply: FastifyReply): Readable | null {
  if (bodyUsed) throw new Error('the body of the Response was read before');
  reply.code(status);
  const isFetched = type !== 'default';
  for (const [name, value] of headers) if (!isFetched || !ofConnection.has(name)) reply.header(name, value);
  return body && Readable.fromWeb(body);
}

/** For HEAD: Fastify reads a stream to its end, which an endless one does not have, and counts the bytes of anything else. */
function headOf(content?: Readable): Readable {
  content?.destroy();
  return Readable.from([]);
}

/**
 * Sets the ETag (RFC 9110, 8.8.3), unless the route has set one. It is weak, because the same content can be sent compressed or not.
 * @returns whether the client has this content already; the reply is then a 304
 */
function isUnchanged(request: FastifyRequest, reply: FastifyReply, payload: string | Buffer): boolean {
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

/** Brotli's default quality, 11, is for files that are compressed once. */
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/** They run in the thread pool. The better one is first. */
const encoders = {
  br: {
    whole: (payload: string | Buffer, done: CompressCallback) => brotliCompress(payload, brotli, done),
    stream: () => createBrotliCompress(brotli),
  },
  gzip: {
    whole: (payload: string | Buffer, done: CompressCallback) => gzip(payload, done),
    stream: () => createGzip(),
  },
};
type Encoding = keyof typeof encoders;
const encodings: Encoding[] = ['br', 'gzip'];

/** Without text/event-stream, because an event must not wait until a block is full. */
const compressible = /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript)|image\/svg)/;

/** Sets Vary, and Content-Encoding when the content is to be compressed (RFC 9110, 12.5.3). */
function encodingFor(request: FastifyRequest, reply: FastifyReply): Encoding | undefined {
  // A range (206) counts the bytes of the uncompressed file.
  if (reply.statusCode === 206 || reply.hasHeader('content-encoding')) return undefined;
  if (!compressible.test(String(reply.getHeader('content-type')))) return undefined;
  vary(reply, 'Accept-Encoding');
  const { 'accept-encoding': accepted } = request.headers;
  if (typeof accepted !== 'string') return undefined;
  const best = negotiate(accepted, encodings);
  const encoding = encodings.find((each) => each === best);
  if (encoding !== undefined) reply.header('content-encoding', encoding).removeHeader('content-length');
  return encoding;
}
