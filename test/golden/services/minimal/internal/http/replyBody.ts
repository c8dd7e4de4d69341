import { Readable } from 'node:stream';
import { compress, compressStream, encodingFor } from './compression.ts';
import { isUnchanged } from './etag.ts';
import type { Http } from './server.ts';

/**
 * Tags replies (ETag) and compresses those worth it. Not @fastify/etag and @fastify/compress: this is one hook for both, and
 * short replies pass through it untouched.
 * @param http the API's server
 * @param compressFrom bytes from which a reply is compressed; a stream always is
 */
export function replyBody(http: Http, compressFrom: number): void {
  http.addHook('onSend', (request, reply, payload: unknown, done) => {
    if (payload instanceof Readable) {
      const encoding = encodingFor(request, reply);
      return done(null, encoding === undefined ? payload : compressStream(payload, encoding));
    }
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload);
    if (isUnchanged(request, reply, payload)) return done(null, null);
    const encoding = payload.length < compressFrom ? undefined : encodingFor(request, reply);
    if (encoding === undefined) return done(null, payload);
    compress(payload, encoding, done);
  });
}
