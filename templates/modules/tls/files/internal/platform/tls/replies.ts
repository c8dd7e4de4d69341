import type { ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import type { Http } from '../http/server.ts';
import { Request } from './messages.ts';

/** What speaks of one connection by HTTP/1.1 (RFC 9113, 8.2.2); `connection` itself Node leaves out. */
const ofConnection = ['keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings'];

/**
 * Leaves such headers out of replies by HTTP/2, where they are malformed, as it is where a handler passes on what another service has
 * answered: Node refuses the whole reply.
 * @param http the API's server
 */
export function dropConnectionHeaders(http: Http): void {
  http.addHook('onSend', (request, reply, payload: unknown, done) => {
    if (request.raw.httpVersionMajor === 2) {
      for (const name of ofConnection) if (reply.hasHeader(name)) reply.removeHeader(name);
    }
    done(null, payload);
  });
}

/** Bytes of one. */
const pieceBytes = 65_536;

/**
 * Sends what is large piece by piece. Node tells of no progress within a piece: a client that reads a large one slowly would look like one that
 * does not read (HTTP_STALL_TIMEOUT_MS).
 * @param http the API's server
 */
export function sendInPieces(http: Http): void {
  http.addHook('onSend', (request, reply, payload: unknown, done) => {
    const whole = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : '';
    if (whole.length <= pieceBytes || request.raw.httpVersionMajor !== 2 || request.method === 'HEAD') {
      done(null, payload);
      return;
    }
    const bytes = typeof whole === 'string' ? Buffer.from(whole) : whole;
    reply.header('content-length', bytes.length);
    done(null, Readable.from(piecesOf(bytes)));
  });
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Bytes that each reply has in any case: small ones are not worth the count. */
const freeBytes = 16_384;

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
    if (bytes > freeBytes && raw instanceof Request && !raw.stream.destroyed) hold(raw.stream, bytes - freeBytes);
    done(null, payload);
  });
}
