import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type Server, type Socket, createServer } from 'node:net';
import { finished } from 'node:stream';
import type { Static } from 'typebox';
import { cutOffLater, listen } from '../http/connections.ts';
import type { config } from './config.ts';
import type { Status } from './status.ts';

/** Accepts connections up to the limit, and closes them. grpc-js has no limit, and does not know its connections. */
export class Connections {
  readonly #settings: Static<typeof config>;
  readonly #listener: Server;
  readonly #open = new Set<Socket>();

  /**
   * @param settings address, port and limit
   * @param refused called for each connection beyond the limit
   * @param serve gets each connection within it
   */
  constructor(settings: Static<typeof config>, refused: () => void, serve: (socket: Socket) => void) {
    this.#settings = settings;
    this.#listener = createServer({ noDelay: true }, (socket) => {
      this.#open.add(socket);
      // 'close' follows.
      socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
      // A client that is gone does not end its side, and Node waits for that.
      socket.once('finish', () => cutOffLater(socket));
      serve(socket);
    }).on('drop', refused);
    this.#listener.maxConnections = settings.GRPC_CONNECTIONS_LIMIT;
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /** @returns the port, once connections are accepted */
  listen(): Promise<number> {
    return listen(this.#listener, this.#settings.GRPC_HOST, this.#settings.GRPC_PORT, 'GRPC_PORT');
  }

  /**
   * Stops accepting connections, and waits until all are closed.
   * @param leave asks every client to leave
   * @param signal when aborted, the remaining connections are destroyed
   */
  async drain(leave: () => void, signal: AbortSignal): Promise<void> {
    if (!this.#listener.listening) return;
    const closed = once(this.#listener, 'close');
    const destroy = (): void => this.#open.forEach((socket) => void socket.destroy());
    this.#listener.close();
    leave();
    signal.addEventListener('abort', destroy);
    if (signal.aborted) destroy();
    await closed;
    signal.removeEventListener('abort', destroy);
  }
}

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
