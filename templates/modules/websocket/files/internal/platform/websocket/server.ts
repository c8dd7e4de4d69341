import { Socket } from 'node:net';
import type { Static } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { unavailable } from '../../../pkg/errors/index.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Http } from '../http/server.ts';
import type { Logger } from '../log/logger.ts';
import type { Metrics } from '../metrics/module.ts';
import type { Tracing } from '../app/tracing.ts';
import { Acks } from './messages/acks.ts';
import { Backlog } from './connections/backlog.ts';
import { Channels } from './channels/channels.ts';
import type { config } from './config.ts';
import { Dispatch } from './messages/dispatch.ts';
import { type WebSocketMetrics, registerLevels } from './metrics.ts';
import { Peer, type PeerOptions } from './connections/peer.ts';
import { Registry } from './messages/registry.ts';
import type { Relay } from './channels/relay.ts';
import { Retained } from './channels/retained.ts';
import { Room, type Whose } from './connections/room.ts';
import { Sessions } from './messages/sessions.ts';
import { Sockets } from './sockets.ts';
import { serveUpgrades } from './connections/upgrade.ts';

export interface ServerOptions {
  readonly settings: Static<typeof config>;
  readonly log: Logger;
  readonly http: Http;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Where traces are recorded. */
  readonly relay: Relay;
  /** Its own. */
  readonly measured: WebSocketMetrics;
}

/** The parts of one instance's WebSocket, put together, and its connections. */
export class Server {
  readonly sockets: Sockets;
  readonly peers = new Set<Peer>();
  readonly #options: ServerOptions;
  readonly #channels: Channels;
  readonly #room: Room;
  readonly #sessions: Sessions;
  #isRefusing = false;

  /**
   * Puts the parts together; from then on the API upgrades.
   * @param options settings, and what the service has
   * @returns once what other instances have published is here
   */
  static async open(options: ServerOptions): Promise<Server> {
    const { relay, settings } = options;
    const retained = new Retained(settings.WEBSOCKET_RETAINED_BYTES, relay.isForeign);
    const server = new Server(options, retained);
    await relay.follow({
      published: server.#channels.deliver,
      begun(origin) {
        retained.begin(origin);
        server.#channels.tellAll();
      },
    });
    return server;
  }

  private constructor(options: ServerOptions, retained: Retained) {
    const { settings, log, http, metrics, tracing, relay, measured } = options;
    this.#options = options;
    this.#room = new Room({
      connections: settings.WEBSOCKET_CONNECTIONS_MAX,
      perSubject: settings.WEBSOCKET_CONNECTIONS_PER_SUBJECT,
      perAddress: settings.WEBSOCKET_CONNECTIONS_PER_ADDRESS,
    });
    const registry = new Registry();
    const sessions = new Sessions({
      window: settings.WEBSOCKET_SESSION_WINDOW,
      ttlMs: settings.WEBSOCKET_SESSION_TTL_MS,
      most: settings.WEBSOCKET_SESSIONS_MAX,
      mostBytes: settings.WEBSOCKET_SESSIONS_BYTES_MAX,
    });
    this.#sessions = sessions;
    const channels = new Channels(retained, settings.WEBSOCKET_BUFFER_LIMIT_BYTES / 2, measured);
    this.#channels = channels;
    this.sockets = new Sockets({
      registry,
      channels,
      sessions,
      relay,
      limits: {
        heartbeatMs: settings.WEBSOCKET_HEARTBEAT_MS,
        window: settings.WEBSOCKET_SESSION_WINDOW,
        messageLimit: settings.WEBSOCKET_MESSAGE_LIMIT_BYTES,
        messagesPerSecond: settings.WEBSOCKET_MESSAGES_PER_SECOND,
      },
    });
    const { receive } = new Dispatch({
      registry,
      log,
      tracing,
      errors: metrics.errors,
      metrics: measured,
      deadlineMs: settings.WEBSOCKET_DEADLINE_MS,
      sessionOf: (peer, { type }) => this.sockets.sessionOf(peer, type),
    });
    const acks = new Acks();
    const shared: Pick<PeerOptions, 'limits' | 'metrics' | 'acks' | 'receive' | 'closed' | 'missed'> = {
      limits: {
        messagesPerSecond: settings.WEBSOCKET_MESSAGES_PER_SECOND,
        inFlight: settings.WEBSOCKET_IN_FLIGHT_MAX,
        buffer: {
          limitBytes: settings.WEBSOCKET_BUFFER_LIMIT_BYTES,
          policy: settings.WEBSOCKET_SLOW_READER,
          backlog: new Backlog(settings.WEBSOCKET_BUFFERS_BYTES_MAX),
        },
      },
      metrics: measured,
      acks,
      receive,
      closed: (peer, code) => {
        acks.forget(peer);
        this.#closed(peer, code);
      },
      missed: (peer, missed) => this.#channels.tellLost(peer, missed),
    };
    serveUpgrades(http, {
      path: settings.WEBSOCKET_PATH,
      origins: settings.WEBSOCKET_ORIGINS,
      messageLimitBytes: settings.WEBSOCKET_MESSAGE_LIMIT_BYTES,
      admit: (address) => this.#admit({ address, subject: current().get(principalKey)?.subject }),
      refused: (reason) => measured.refused.inc({ reason }),
      connected: (socket, stream, address) => {
        const peer = new Peer({ ...shared, socket, stream, address, caller: current().get(principalKey) });
        this.peers.add(peer);
        // It has left the connections of requests, and is counted among its own.
        http.server.maxConnections += 1;
        if (stream instanceof Socket) http.peers.release(stream);
        this.#room.add(peer);
      },
    });
    registerLevels(
      metrics.registry,
      {
        connections: () => this.peers.size,
        sessions: () => sessions.waiting,
        sessionBytes: () => sessions.waitingBytes,
        connectedBytes: () => sessions.connectedBytes,
        bufferedBytes: () => [...this.peers].reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
      },
      settings.WEBSOCKET_CONNECTIONS_MAX,
    );
  }

  /** From now on nobody new is let in. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Forgets sessions whose time is over: nobody may come who would find that out. */
  sweep(): void {
    this.#sessions.sweep();
  }

  /** Lets go of the relay. */
  close(): Promise<void> {
    return this.#options.relay.stop();
  }

  #admit(whose: Whose): void {
    if (this.#isRefusing) throw unavailable('The service is stopping.', { code: 'stopping', retryAfterMs: 0 });
    this.#room.admit(whose);
  }

  #closed(peer: Peer, code: number): void {
    this.peers.delete(peer);
    this.#room.remove(peer);
    this.#options.http.server.maxConnections -= 1;
    this.#options.measured.closed.inc({ code });
    this.sockets.closed(peer);
  }
}
