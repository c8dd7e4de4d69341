import { hash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { brotliCompress, type CompressCallback, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { leaveUnread } from './body.ts';
import type { config } from './config.ts';
import type { Http } from './server.ts';

/**
 * @param reply depends on a header of its request
 * @param header its name; caches keep one reply for each value of it (RFC 9110, 12.5.5)
 */
export function vary(reply: FastifyReply, header: string): void {
  const given = reply.getHeader('vary');
  const names = given === undefined ? [] : String(given).split(/\s*,\s*/);
  if (names.some((name) => name.toLowerCase() === header.toLowerCase())) return;
  reply.header('vary', [...names, header].join(', '));
}

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

/** Brotli's default quality, 11, is made for files that are compressed once. */
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

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
/** The better one first. */
const encodings: Encoding[] = ['br', 'gzip'];

/** Not text/event-stream: an event must not wait for a block to fill. */
const compressible = /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript)|image\/svg)/;

/**
 * @param request its Accept-Encoding decides
 * @param reply gets Vary, and Content-Encoding when there is one
 * @returns how its content is to be encoded (RFC 9110, 12.5.3); `undefined` leaves it as it is
 */
export function encodingFor(request: FastifyRequest, reply: FastifyReply): Encoding | undefined {
  // A part of a file (206) is of the file as it is.
  if (
    reply.statusCode === 206 ||
    reply.hasHeader('content-encoding') ||
    !compressible.test(String(reply.getHeader('content-type')))
  ) {
    return undefined;
  }
  vary(reply, 'Accept-Encoding');
  const { 'accept-encoding': accepted } = request.headers;
  if (typeof accepted !== 'string') return undefined;
  const best = negotiate(accepted, encodings);
  const encoding = encodings.find((each) => each === best);
  if (encoding !== undefined) reply.header('content-encoding', encoding).removeHeader('content-length');
  return encoding;
}

/**
 * Works in the thread pool: other requests do not wait.
 * @param payload all of it
 * @param encoding how
 * @param done gets the bytes to be sent
 */
export function compress(payload: string | Buffer, encoding: Encoding, done: CompressCallback): void {
  encoders[encoding].whole(payload, done);
}

/**
 * @param payload a stream
 * @param encoding how
 * @returns the stream to be sent; when one of the two breaks, so does the other
 */
export function compressStream(payload: Readable, encoding: Encoding): Readable {
  return pipeline(payload, encoders[encoding].stream(), () => undefined);
}

/**
 * Tags replies (ETag) and compresses those worth it. Not @fastify/etag and @fastify/compress: this is one hook for both, and
 * short replies pass through it untouched.
 * @param http the API's server
 * @param settings from how many bytes on a reply is compressed, which a stream always is; how long a body may be
 */
export function replyBody(http: Http, settings: Static<typeof config>): void {
  const { HTTP_COMPRESS_FROM_BYTES: compressFrom, HTTP_BODY_LIMIT_BYTES: bodyLimit } = settings;
  http.addHook('onSend', (request, reply, payload: unknown, done) => {
    leaveUnread(request, reply, bodyLimit);
    if (payload instanceof Readable) {
      const encoding = encodingFor(request, reply);
      return done(null, encoding === undefined ? payload : compressStream(payload, encoding));
    }
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload);
    if (isUnchanged(request, reply, payload)) return done(null, null);
    const encoding = payload.length < compressFrom ? undefined : encodingFor(request, reply);
    if (encoding === undefined) return done(null, payload);
    compress(payload, encoding, (error, bytes) => {
      // The handler has replied once more meanwhile.
      if (reply.sent) return;
      try {
        if (error === null) done(null, bytes);
        else done(error);
      } catch (fault) {
        // A header that cannot be sent, say: nobody else hears of it here.
        reply.send(fault);
      }
    });
  });
}
