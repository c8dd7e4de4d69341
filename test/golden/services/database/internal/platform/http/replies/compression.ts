import { type Readable, pipeline } from 'node:stream';
import { type CompressCallback, brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { vary } from './vary.ts';

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
