import type { ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import type { Http } from '../http/server.ts';
import { Request } from './server.ts';

/** Headers of an HTTP/1.1 connection (RFC 9113, 8.2.2), for which Node refuses the whole reply, or warns. */
const connectionHeaders = 'connection keep-alive proxy-connection transfer-encoding upgrade http2-settings'.split(' ');

/** Bytes of one. */
const pieceBytes = 65_536;

/** Bytes of each reply that are not counted. */
const freeBytes = 16_384;

/**
 * Prepares replies for HTTP/2. Drops headers of HTTP/1.1 connections, which a handler may pass on from another service. Sends large replies in
 * pieces, since Node reports no progress within a piece: a slow reader would look like a stalled one. Bounds the memory of replies that
 * clients have not read: beyond the limit the oldest such reply is given up. A stream waits at its source and is not counted.
 * @param http the API's server
 * @param limit bytes of all HTTP/2 replies together; a single reply may be larger
 * @param giveUp resets a reply
 */
export function prepareReplies(http: Http, limit: number, giveUp: (stream: ServerHttp2Stream) => void): void {
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

  http.addHook('onSend', (request, reply, payload: unknown, done) => {
    const raw: unknown = request.raw;
    if (!(raw instanceof Request)) return done(null, payload);
    for (const name of connectionHeaders) if (reply.hasHeader(name)) reply.removeHeader(name);
    const whole = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : '';
    if (whole.length > freeBytes && !raw.stream.destroyed) hold(raw.stream, whole.length - freeBytes);
    if (whole.length <= pieceBytes || request.method === 'HEAD') return done(null, payload);
    const bytes = typeof whole === 'string' ? Buffer.from(whole) : whole;
    reply.header('content-length', bytes.length);
    done(null, Readable.from(piecesOf(bytes)));
  });
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
