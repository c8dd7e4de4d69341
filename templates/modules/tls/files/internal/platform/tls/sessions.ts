import { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { TlsMetrics } from './metrics.ts';
import { isHttp2Error } from './server.ts';

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

/** Milliseconds between two sweeps over all connections and streams. */
const sweepMs = 1000;
/** Maximum of PING and SETTINGS frames of one connection between two sweeps. */
const maxControlFrames = 100;
/** Maximum of milliseconds that a client gets to close a connection that the service has closed. */
const maxLingerMs = 5000;
/** A GOAWAY with the largest stream id announces the end and refuses no request (RFC 9113, 6.8). */
const largestStreamId = 2 ** 31 - 1;
/** Milliseconds after which a client that answers no ping is assumed to have no request on its way. */
const pingTimeoutMs = 500;

export interface SessionOptions {
  /** Maximum of concurrent requests: of all connections, and of one address. */
  readonly requests: { readonly all: number; readonly peer: number };
  /** Milliseconds after which a connection without requests is closed. */
  readonly idleMs: number;
  /** Milliseconds within which a client must have sent its whole request. */
  readonly requestMs: number;
  /** Milliseconds for which a client may leave a part of a reply unread. */
  readonly stallMs: number;
  readonly metrics: Pick<TlsMetrics, 'closed' | 'reset' | 'sessions' | 'streams'>;
}

/** The HTTP/2 connection of one client. */
class Connection {
  readonly session: ServerHttp2Session;
  readonly socket: TLSSocket;
  readonly address: string;
  controlFrames = 0;
  /** When it was opened, or its last request ended. */
  usedAt = performance.now();
  /** When the sweep first found it closed by the service. Its socket is still open then. */
  endedAt: number | undefined;
  /** Whether its end is in the metrics already. */
  isCounted = false;
  #streams = 0;
  #onIdle: (() => void) | undefined;
  #left: Promise<void> | undefined;

  constructor(session: ServerHttp2Session, socket: TLSSocket) {
    this.session = session;
    this.socket = socket;
    this.address = socket.remoteAddress ?? '';
  }

  get isIdle(): boolean {
    return this.#streams === 0;
  }

  add(stream: ServerHttp2Stream): void {
    this.#streams += 1;
    stream.once('close', () => {
      this.#streams -= 1;
      this.usedAt = performance.now();
      if (this.#streams === 0) this.#onIdle?.();
    });
  }

  /**
   * Asks the client to leave, once, and loses no request. The GOAWAY of Node's `session.close()` names the last request known at that moment,
   * and clients treat requests that are on their way as refused. So the final GOAWAY is sent when no request is left (decision 031).
   */
  leave(): Promise<void> {
    return (this.#left ??= this.#leave());
  }

  async #leave(): Promise<void> {
    const { session } = this;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    session.once('close', resolve);
    if (session.destroyed) return closed;
    const close = session.close.bind(session);
    // Node calls `close` when the client answers with its own GOAWAY, and that would lose requests.
    session.close = () => undefined;
    session.goaway(constants.NGHTTP2_NO_ERROR, largestStreamId);
    const closeWhenIdle = (): void => {
      if (session.destroyed) return;
      this.#onIdle = close;
      if (this.isIdle) close();
    };
    // The first answer shows that the client has read the GOAWAY, the second one that all it had sent before has arrived.
    session.ping(() => {
      if (!session.destroyed) session.ping(closeWhenIdle);
    });
    // An idle client of Node's does not answer pings after GOAWAY.
    const timer = setTimeout(closeWhenIdle, pingTimeoutMs);
    await closed;
    clearTimeout(timer);
  }
}

/** State of one request. */
interface Stream {
  readonly connection: Connection | undefined;
  readonly begunAt: number;
  /** Bytes of the reply that the client has not read, and since when there has been no progress. */
  waiting: number;
  stalledSince: number;
  /** Why the service reset it. */
  reason?: string;
}

/** All HTTP/2 connections. Closes those whose client floods, stalls or is gone, and drains them without losing requests. */
export class Sessions {
  readonly #server: Http2Server;
  readonly #options: SessionOptions;
  readonly #connections = new Map<unknown, Connection>();
  readonly #streams = new Map<ServerHttp2Stream, Stream>();
  /** Requests that were not refused: of all addresses, and of each. */
  #admitted = 0;
  readonly #admittedOf = new Counts();
  readonly #sweeper: NodeJS.Timeout;
  #isDraining = false;

  /**
   * @param server of HTTP/2; it gets its connections from `accept`
   * @param options limits and metrics
   */
  constructor(server: Http2Server, options: SessionOptions) {
    this.#server = server;
    this.#options = options;
    // Runs before the request is routed, so that refused requests cost nothing.
    server.prependListener('stream', (stream) => this.#watch(stream));
    server.on('sessionError', (error) => {
      // A reset of the TCP connection is no protocol error.
      if (isHttp2Error(error)) options.metrics.closed.inc({ reason: 'protocol_error' });
    });
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), sweepMs).unref();
  }

  /** @param socket of a client that has chosen HTTP/2 */
  accept(socket: TLSSocket): void {
    const add = (session: ServerHttp2Session): void => this.#add(new Connection(session, socket));
    this.#server.once('session', add);
    this.#server.emit('connection', socket);
    this.#server.off('session', add);
  }

  /**
   * Asks every client to leave. Requests in progress, and requests on their way, are answered.
   * @param signal aborts at the deadline; remaining connections are then destroyed
   * @returns when all connections are closed
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    const cutOff = (): void => this.#cutOff();
    signal.addEventListener('abort', cutOff);
    try {
      await Promise.all(Array.from(this.#connections.values(), (connection) => connection.leave()));
    } finally {
      signal.removeEventListener('abort', cutOff);
    }
  }

  /**
   * Resets a reply to free its memory.
   * @param stream of the reply
   */
  giveUp(stream: ServerHttp2Stream): void {
    const entry = this.#streams.get(stream);
    const { session } = stream;
    if (entry === undefined || session === undefined) return;
    this.#reset(stream, entry, 'memory');
    stream.destroy();
    // Bytes that the session has taken over are freed only with the connection, when the client does not read even the reset.
    setImmediate(() => {
      if ((session.state.outboundQueueSize ?? 0) > 0) this.#destroy(entry.connection, 'memory');
    });
  }

  /** Ends the sweeps. */
  close(): void {
    clearInterval(this.#sweeper);
  }

  #add(connection: Connection): void {
    const { metrics } = this.#options;
    const { session } = connection;
    this.#connections.set(session, connection);
    metrics.sessions.inc();
    session.once('close', () => {
      this.#connections.delete(session);
      metrics.sessions.dec();
    });
    const count = (): void => {
      connection.controlFrames += 1;
      if (connection.controlFrames <= maxControlFrames || session.destroyed) return;
      connection.isCounted = true;
      metrics.closed.inc({ reason: 'flood' });
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    };
    session.on('ping', count).on('remoteSettings', count);
    // The handshake was in progress when the drain began.
    if (this.#isDraining) void connection.leave();
  }

  #watch(stream: ServerHttp2Stream): void {
    const { metrics, requests } = this.#options;
    const now = performance.now();
    const connection = this.#connections.get(stream.session);
    const address = connection?.address ?? '';
    const isAdmitted = this.#admitted < requests.all && this.#admittedOf.of(address) < requests.peer;
    const entry: Stream = { connection, begunAt: now, waiting: 0, stalledSince: now };
    this.#streams.set(stream, entry);
    metrics.streams.inc();
    connection?.add(stream);
    if (isAdmitted) {
      this.#admitted += 1;
      this.#admittedOf.add(address);
    }
    // The number of waiting bytes may be the same as before although the client has read some.
    stream.on('drain', () => (entry.stalledSince = performance.now()));
    stream.once('close', () => {
      this.#streams.delete(stream);
      metrics.streams.dec();
      if (isAdmitted) {
        this.#admitted -= 1;
        this.#admittedOf.remove(address);
      }
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) metrics.reset.inc({ reason: entry.reason ?? 'client' });
    });
    // The client may send it again: nothing was done for it (RFC 9113, 8.7).
    if (!isAdmitted) this.#reset(stream, entry, 'too_many', constants.NGHTTP2_REFUSED_STREAM);
  }

  #sweep(now: number): void {
    const { idleMs, requestMs, stallMs } = this.#options;
    for (const connection of this.#connections.values()) {
      connection.controlFrames = 0;
      // Node waits without limit for the client to close its side too.
      if (connection.session.destroyed) connection.endedAt ??= now;
      if (now - (connection.endedAt ?? now) > Math.min(stallMs, maxLingerMs)) this.#destroy(connection, 'half_open');
      // Node's own timeout does not start again after a request whose reply could not be sent.
      else if (connection.isIdle && now - connection.usedAt > idleMs) void connection.leave();
    }
    for (const [stream, entry] of this.#streams) {
      const { writableLength } = stream;
      if (writableLength !== entry.waiting || writableLength === 0) {
        entry.waiting = writableLength;
        entry.stalledSince = now;
      }
      // Not even the reset was sent since the last sweep: the client reads nothing from the connection.
      if (entry.reason !== undefined) this.#destroy(entry.connection, 'stalled');
      else if (now - entry.stalledSince > stallMs) this.#reset(stream, entry, 'stalled');
      else if (now - entry.begunAt > requestMs && stream.state.remoteClose === 0)
        this.#reset(stream, entry, 'request_timeout');
    }
  }

  #reset(
    stream: ServerHttp2Stream,
    entry: Stream,
    reason: string,
    code: number = constants.NGHTTP2_ENHANCE_YOUR_CALM,
  ): void {
    entry.reason = reason;
    stream.close(code);
  }

  /** Closes a connection without GOAWAY: the client does not read. */
  #destroy(connection: Connection | undefined, reason: string): void {
    if (connection === undefined) return;
    if (!connection.isCounted) this.#options.metrics.closed.inc({ reason });
    connection.isCounted = true;
    connection.socket.destroy();
  }

  #cutOff(): void {
    for (const [stream, entry] of this.#streams) {
      entry.reason = 'shutdown';
      stream.destroy(new Error('the service stopped'));
    }
    for (const { session } of this.#connections.values()) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }
}
