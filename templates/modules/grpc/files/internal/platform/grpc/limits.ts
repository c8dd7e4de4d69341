import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import type { Static } from 'typebox';
import { listen } from '../http/connections.ts';
import type { config } from './config.ts';

/** Counts per key, such as connections per address. A key with a count of zero takes no memory. */
class Counts {
  readonly #counts = new Map<string, number>();

  /** @returns the count of a key */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

/** Counts connections or calls. Without a limit for one address, one client could use all of them. */
export class Places {
  readonly #limits: { readonly all: number; readonly peer: number };
  readonly #byPeer = new Counts();
  count = 0;

  /** @param limits for all addresses together, and for one */
  constructor(limits: { readonly all: number; readonly peer: number }) {
    this.#limits = limits;
  }

  /** Takes a place for an address, or returns the limit that is reached. */
  take(peer: string): 'all' | 'peer' | undefined {
    if (this.#byPeer.of(peer) >= this.#limits.peer) return 'peer';
    if (this.count >= this.#limits.all) return 'all';
    this.#byPeer.add(peer);
    this.count += 1;
    return undefined;
  }

  free(peer: string): void {
    this.#byPeer.remove(peer);
    this.count -= 1;
  }
}

/** Accepts connections up to the limits. grpc-js has no limit, and does not count connections. */
export class Connections {
  readonly #settings: Static<typeof config>;
  readonly #listener: Server;
  readonly #open = new Set<Socket>();

  /**
   * @param settings address, port and limits
   * @param refused called for each connection beyond a limit
   * @param serve gets each connection within the limits
   */
  constructor(
    settings: Static<typeof config>,
    refused: (limit: 'all' | 'peer') => void,
    serve: (socket: Socket) => void,
  ) {
    const places = new Places({ all: settings.GRPC_CONNECTIONS_LIMIT, peer: settings.GRPC_PEER_CONNECTIONS_LIMIT });
    this.#settings = settings;
    this.#listener = createServer({ noDelay: true }, (socket) => {
      const { remoteAddress: peer = '' } = socket;
      // 'close' follows.
      socket.on('error', () => undefined);
      const limit = places.take(peer);
      if (limit !== undefined) {
        refused(limit);
        socket.destroy();
        return;
      }
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        places.free(peer);
      });
      // A client that is gone does not end its side, and Node waits for that.
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
