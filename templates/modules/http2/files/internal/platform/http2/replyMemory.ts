import type { ServerHttp2Stream } from 'node:http2';
import type { Http } from '../http/server.ts';
import { Request } from './messages.ts';

/** Bytes that each reply has in any case: small ones are not worth the count. */
const free = 16_384;

/**
 * Bounds the memory of replies that their clients have yet to read: without it, a few clients that ask and do not read could take all. Beyond
 * the limit, the reply that has been on its way longest gives way to the next one: who reads is done before it comes to that.
 * A reply that is a stream is not counted: it waits at its source.
 * @param http the API's server
 * @param limit bytes for all replies by HTTP/2 together; a single one may be larger
 * @param giveUp breaks a reply off
 */
export function boundReplies(http: Http, limit: number, giveUp: (stream: ServerHttp2Stream) => void): void {
  const held = new Map<ServerHttp2Stream, number>();
  let total = 0;

  const release = (stream: ServerHttp2Stream): void => {
    total -= held.get(stream) ?? 0;
    held.delete(stream);
  };
  const hold = (stream: ServerHttp2Stream, bytes: number): void => {
    for (const oldest of held.keys()) {
      if (total + bytes <= limit) break;
      release(oldest);
      giveUp(oldest);
    }
    held.set(stream, bytes);
    total += bytes;
    stream.once('close', () => release(stream));
  };

  http.addHook('onSend', (request, _reply, payload: unknown, done) => {
    const raw: unknown = request.raw;
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
    if (bytes > free && raw instanceof Request && !raw.stream.destroyed) hold(raw.stream, bytes - free);
    done(null, payload);
  });
}
