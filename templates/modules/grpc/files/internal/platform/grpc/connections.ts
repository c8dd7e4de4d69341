import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Server, type Socket } from 'node:net';
import { finished } from 'node:stream';
import type { GrpcStatus } from '../../../pkg/errors/grpc.ts';
import { cutOffLater } from '../http/connections.ts';

/** Accepts connections up to a limit, and closes them. grpc-js has no limit, and does not know its connections. */
export class Connections extends Server {
  /** Those that are open. */
  readonly open = new Set<Socket>();

  /**
   * @param limit of open connections; 'drop' reports each one beyond it
   * @param serve gets each connection within it
   */
  constructor(limit: number, serve: (socket: Socket) => void) {
    super({ noDelay: true }, (socket) => {
      this.open.add(socket);
      // 'close' follows.
      socket.on('error', () => undefined).once('close', () => this.open.delete(socket));
      // A client that is gone does not end its side, and Node waits for that.
      socket.once('finish', () => cutOffLater(socket));
      serve(socket);
    });
    this.maxConnections = limit;
  }

  /**
   * Stops accepting connections, and waits until all are closed.
   * @param leave asks every client to leave
   * @param signal when aborted, the remaining connections are destroyed
   */
  async drain(leave: () => void, signal: AbortSignal): Promise<void> {
    if (!this.listening) return;
    const closed = once(this, 'close');
    const destroy = (): void => this.open.forEach((socket) => void socket.destroy());
    this.close();
    leave();
    signal.addEventListener('abort', destroy);
    if (signal.aborted) destroy();
    await closed;
    signal.removeEventListener('abort', destroy);
  }
}

/** Published for each stream of each HTTP/2 server of the process (https://nodejs.org/api/diagnostics_channel.html#http2). */
const streams = 'http2.server.stream.start';

/** Units of grpc-timeout with which eight digits can be more than the longest timer of Node; in seconds. */
const longUnits: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };
/** Seconds of the longest timer of Node: 2^31 - 1 ms, 24 days. */
const longestSeconds = 2_147_483;

/**
 * Shortens a time that is longer than the longest timer. grpc-js keeps 32 bits of its milliseconds: 1193H would end at once.
 * @param headers of a call, in which grpc-timeout is replaced (https://grpc.github.io/grpc/core/md_doc__p_r_o_t_o_c_o_l-_h_t_t_p2.html)
 */
function shortenTimeout(headers: IncomingHttpHeaders): void {
  const [, digits = '', unit = ''] = /(\d{1,8})\s*([HMS])/.exec(String(headers['grpc-timeout'])) ?? [];
  if (Number(digits) * (longUnits[unit] ?? 0) > longestSeconds) headers['grpc-timeout'] = `${longestSeconds}S`;
}

/**
 * Prepares the calls for grpc-js, and watches for those that it answers before its interceptors run: calls of an unknown method, and
 * calls with another content type.
 * @param port on which gRPC listens
 * @param isMethod whether a path is a method that is served
 * @param answered called when such a call has its answer, with the code of the error
 * @returns a function that ends the watch
 */
export function watchCalls(
  port: number,
  isMethod: (path: string) => boolean,
  answered: (headers: IncomingHttpHeaders, status: GrpcStatus, code: string) => void,
): () => void {
  const started = (message: unknown): void => {
    // Node's documentation has the type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    const isGrpc = headers['content-type']?.startsWith('application/grpc') === true;
    if (isGrpc && isMethod(headers[':path'] ?? '')) return shortenTimeout(headers);
    if (stream.session?.socket.localPort !== port) return;
    finished(stream, { readable: false }, () => {
      if (isGrpc) answered(headers, 'UNIMPLEMENTED', 'unimplemented');
      else answered(headers, 'INVALID_ARGUMENT', 'content_type_unsupported');
    });
  };
  subscribe(streams, started);
  return () => unsubscribe(streams, started);
}
