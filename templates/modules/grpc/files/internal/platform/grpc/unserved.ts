import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { finished } from 'node:stream';
import type { Status } from './status.ts';

/** Published for each stream of each HTTP/2 server of the process (https://nodejs.org/api/diagnostics_channel.html#http2). */
const streams = 'http2.server.stream.start';
const unknownMethod: Status = { name: 'UNIMPLEMENTED', code: 'unimplemented' };
const otherContent: Status = { name: 'INVALID_ARGUMENT', code: 'content_type_unsupported' };

/**
 * Watches for calls that grpc-js answers before its interceptors run: calls of an unknown method, and calls with another content type.
 * @param port on which gRPC listens
 * @param isMethod whether a path is a method that is served
 * @param answered called when such a call has its answer
 * @returns a function that ends the watch
 */
export function watchUnserved(
  port: number,
  isMethod: (path: string) => boolean,
  answered: (headers: IncomingHttpHeaders, status: Status) => void,
): () => void {
  const started = (message: unknown): void => {
    // Node's documentation has the type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    const isGrpc = headers['content-type']?.startsWith('application/grpc') === true;
    if (isGrpc && isMethod(headers[':path'] ?? '')) return;
    if (stream.session?.socket.localPort !== port) return;
    finished(stream, { readable: false }, () => answered(headers, isGrpc ? unknownMethod : otherContent));
  };
  subscribe(streams, started);
  return () => unsubscribe(streams, started);
}
