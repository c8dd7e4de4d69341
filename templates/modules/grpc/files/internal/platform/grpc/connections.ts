import { type Http2Server, type ServerHttp2Session, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { Static } from 'typebox';
import { Counts } from '../http/connections/counts.ts';
import { Farewell, Lingering, isOfHttp2 } from '../http2/connections.ts';
import type { config } from './config.ts';
import type { GrpcMetrics } from './metrics.ts';

/** Milliseconds between two looks for clients that do not end their side. */
const sweepEvery = 250;

interface Connection {
  readonly farewell: Farewell;
  readonly lingering: Lingering;
  readonly socket: Socket;
}

/** The connections of a server: at most so many, none whose client is gone, and none cut off while calls are in flight. */
export class Connections {
  readonly #settings: Static<typeof config>;
  readonly #metrics: Pick<GrpcMetrics, 'refused' | 'closed'>;
  readonly #open = new Map<ServerHttp2Session, Connection>();
  readonly #byPeer = new Counts();
  readonly #keepalive: NodeJS.Timeout;
  readonly #sweeper: NodeJS.Timeout;
  /** What the next session stands on: Node tells of both in one go, and lets nobody cut off the socket of a session. */
  #arrived: Socket | undefined;

  /**
   * @param server of HTTP/2, before it listens
   * @param settings limits
   * @param metrics hear who is turned away
   */
  constructor(server: Http2Server, settings: Static<typeof config>, metrics: Pick<GrpcMetrics, 'refused' | 'closed'>) {
    this.#settings = settings;
    this.#metrics = metrics;
    server.prependListener('connection', (socket: Socket) => (this.#arrived = socket));
    server.on('session', (session) => this.#add(session));
    server.on('sessionError', (error) => {
      // A connection that is lost, by a client that resets it say, breaks no protocol.
      if (isOfHttp2(error)) metrics.closed.inc({ reason: 'protocol_error' });
    });
    this.#keepalive = setInterval(() => {
      for (const session of this.#open.keys()) this.#ping(session);
    }, settings.GRPC_KEEPALIVE_MS).unref();
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), sweepEvery).unref();
  }

  /** How many there are. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * Asks every client to leave; calls in flight are finished, and so are those that are on their way at this moment.
   * @param signal aborts at the deadline: what is left is cut off
   * @returns when all have left
   */
  async drain(signal: AbortSignal): Promise<void> {
    clearInterval(this.#keepalive);
    const cutOff = (): void => {
      for (const [session, { socket }] of this.#open) {
        session.destroy(undefined, constants.NGHTTP2_CANCEL);
        socket.destroy();
      }
    };
    signal.addEventListener('abort', cutOff);
    try {
      await Promise.all(Array.from(this.#open.values(), ({ farewell }) => farewell.say()));
    } finally {
      signal.removeEventListener('abort', cutOff);
      clearInterval(this.#sweeper);
    }
  }

  #add(session: ServerHttp2Session): void {
    const socket = this.#arrived;
    if (socket === undefined) throw new Error('a session has no socket');
    const peer = socket.remoteAddress ?? '';
    const limit = this.#limitReachedBy(peer);
    if (limit !== undefined) {
      this.#metrics.refused.inc({ limit });
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const lingering = new Lingering(session, this.#settings.GRPC_KEEPALIVE_TIMEOUT_MS);
    this.#open.set(session, { farewell: new Farewell(session), lingering, socket });
    this.#byPeer.add(peer);
    session.once('close', () => {
      this.#open.delete(session);
      this.#byPeer.remove(peer);
    });
  }

  #limitReachedBy(peer: string): string | undefined {
    if (this.#open.size >= this.#settings.GRPC_CONNECTIONS_LIMIT) return 'all';
    return this.#byPeer.of(peer) >= this.#settings.GRPC_PEER_CONNECTIONS_LIMIT ? 'peer' : undefined;
  }

  #sweep(now: number): void {
    for (const { lingering, socket } of this.#open.values()) {
      if (socket.destroyed || !lingering.isOverdue(now)) continue;
      this.#metrics.closed.inc({ reason: 'half_open' });
      socket.destroy();
    }
  }

  /** A client that is gone without a word, or has never spoken HTTP/2, does not answer. */
  #ping(session: ServerHttp2Session): void {
    if (session.destroyed) return;
    const timer = setTimeout(() => {
      this.#metrics.closed.inc({ reason: 'keepalive' });
      session.destroy();
    }, this.#settings.GRPC_KEEPALIVE_TIMEOUT_MS).unref();
    const over = (): void => {
      clearTimeout(timer);
      session.off('close', over);
    };
    session.once('close', over);
    session.ping(over);
  }
}
