import { Readable } from 'node:stream';
import type { Http } from '../http/server.ts';

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
