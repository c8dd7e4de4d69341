import { Readable } from 'node:stream';
import type { Static } from 'typebox';
import { leaveUnread } from '../body/unreadBody.ts';
import type { config } from '../config.ts';
import type { Http } from '../server.ts';
import { compress, compressStream, encodingFor } from './compression.ts';
import { isUnchanged } from './etag.ts';

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
