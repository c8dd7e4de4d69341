import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import type { Static } from 'typebox';
import { listen } from '../http/connections.ts';
import type { config } from './config.ts';
import type { GrpcMetrics } from './metrics.ts';
import { Places } from './places.ts';

/** Accepts the connections of a server, up to its limits. grpc-js itself has no limit, and does not say how many there are. */
export class Connections {
  readonly #settings: Static<typeof config>;
  readonly #listener: Server;
  readonly #open = new Set<Socket>();

  /**
   * @param settings limits
   * @param refused counts connections beyond a limit
   * @param serve takes each connection within the limits
   */
  constructor(settings: Static<typeof config>, refused: GrpcMetrics['refused'], serve: (socket: Socket) => void) {
    const places = new Places(settings.GRPC_CONNECTIONS_LIMIT, settings.GRPC_PEER_CONNECTIONS_LIMIT);
    this.#settings = settings;
    this.#listener = createServer({ noDelay: true }, (socket) => {
      const { remoteAddress: peer = '' } = socket;
      socket.on('error', ignored);
      const limit = places.take(peer);
      if (limit !== undefined) {
        refused.inc({ limit });
        socket.destroy();
        return;
      }
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        places.free(peer);
      });
      // A client that is gone does not end its side: Node would wait for it.
      socket.once('finish', () => setTimeout(() => socket.destroy(), settings.GRPC_KEEPALIVE_TIMEOUT_MS).unref());
      serve(socket);
    });
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
   * Stops accepting connections.
   * @param leave asks every client to leave
   * @param signal aborts at the deadline: what is left is then cut off
   * @returns when all have left
   */
  async drain(leave: () => void, signal: AbortSignal): Promise<void> {
    if (!this.#listener.listening) return;
    const closed = once(this.#listener, 'close');
    const cutOff = (): void => {
      for (const socket of this.#open) socket.destroy();
    };
    this.#listener.close();
    leave();
    signal.addEventListener('abort', cutOff);
    if (signal.aborted) cutOff();
    await closed;
    signal.removeEventListener('abort', cutOff);
  }
}

/** 'close' follows. */
function ignored(): void {}
