import { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream, constants } from 'node:http2';
import { Farewell } from '../http/connections/farewell.ts';
import type { Http2Metrics } from './metrics.ts';

export interface SessionOptions {
  /** Milliseconds after which a connection without requests is closed. */
  readonly idleMs: number;
  /** Milliseconds within which a client must have sent its whole request. */
  readonly requestMs: number;
  /** Milliseconds for which a client may leave a piece of a reply unread. */
  readonly stallMs: number;
  /** Milliseconds between two looks at all that is open. */
  readonly sweepMs: number;
  /** Most PING and SETTINGS frames between two looks. */
  readonly controlFrames: number;
  /** Bytes that may be on their way on one connection, of all its requests. */
  readonly windowBytes: number;
  readonly metrics: Pick<Http2Metrics, 'closed' | 'reset'>;
}

interface Session {
  readonly farewell: Farewell;
  controlFrames: number;
}

interface Stream {
  readonly begun: number;
  /** Bytes of the reply that its client has yet to make room for, and since when they have been as many. */
  waiting: number;
  since: number;
  /** Why it was reset on this side. */
  reason?: string;
}

/** The connections by HTTP/2: none whose client floods, stalls or is gone, and none cut off while requests are in flight. */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<ServerHttp2Session, Session>();
  readonly #streams = new Map<ServerHttp2Stream, Stream>();
  readonly #sweeper: NodeJS.Timeout;
  #leaving = false;

  /**
   * @param server of HTTP/2, which gets its connections from elsewhere
   * @param options limits
   */
  constructor(server: Http2Server, options: SessionOptions) {
    this.#options = options;
    server.on('session', (session) => this.#add(session));
    server.on('stream', (stream) => this.#watch(stream));
    server.on('sessionError', () => options.metrics.closed.inc({ reason: 'protocol_error' }));
    // One timer looks after all of them, as in internal/http/requests/requests.ts.
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), options.sweepMs).unref();
  }

  /** How many connections are open. */
  get count(): number {
    return this.#sessions.size;
  }

  /** How many requests are being answered. */
  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Asks every client to leave; requests in flight are finished, and so are those that are on their way at this moment.
   * @param signal aborts at the deadline: what is left is cut off
   * @returns when all have left
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#leaving = true;
    const cutOff = (): void => this.#cutOff();
    signal.addEventListener('abort', cutOff);
    try {
      await Promise.all(Array.from(this.#sessions.values(), ({ farewell }) => farewell.say()));
    } finally {
      signal.removeEventListener('abort', cutOff);
      clearInterval(this.#sweeper);
    }
  }

  #add(session: ServerHttp2Session): void {
    const { idleMs, windowBytes } = this.#options;
    const entry: Session = { farewell: new Farewell(session), controlFrames: 0 };
    this.#sessions.set(session, entry);
    session.once('close', () => this.#sessions.delete(session));
    session.setLocalWindowSize(windowBytes);
    const count = (): void => {
      entry.controlFrames += 1;
      if (entry.controlFrames > this.#options.controlFrames) this.#end(session, 'flood');
    };
    session.on('ping', count);
    session.on('remoteSettings', count);
    session.setTimeout(idleMs, () => {
      // A request that takes long is no idleness.
      if (entry.farewell.streams === 0) void entry.farewell.say();
    });
    // Its handshake was under way when the service began to stop.
    if (this.#leaving) void entry.farewell.say();
  }

  #end(session: ServerHttp2Session, reason: string): void {
    if (session.destroyed) return;
    this.#options.metrics.closed.inc({ reason });
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #watch(stream: ServerHttp2Stream): void {
    const begun = performance.now();
    const entry: Stream = { begun, waiting: 0, since: begun };
    this.#streams.set(stream, entry);
    stream.once('close', () => {
      this.#streams.delete(stream);
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
      this.#options.metrics.reset.inc({ reason: entry.reason ?? 'client' });
    });
  }

  #sweep(now: number): void {
    const { requestMs, stallMs } = this.#options;
    for (const session of this.#sessions.values()) session.controlFrames = 0;
    for (const [stream, entry] of this.#streams) {
      const { writableLength } = stream;
      if (writableLength !== entry.waiting || writableLength === 0) {
        entry.waiting = writableLength;
        entry.since = now;
      }
      if (now - entry.since > stallMs) reset(stream, entry, 'stalled');
      else if (now - entry.begun > requestMs && stream.state.remoteClose === 0) reset(stream, entry, 'request_timeout');
    }
  }

  #cutOff(): void {
    for (const [stream, entry] of this.#streams) {
      entry.reason = 'shutdown';
      stream.destroy(new Error('the service stopped'));
    }
    for (const session of this.#sessions.keys()) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }
}

function reset(stream: ServerHttp2Stream, entry: Stream, reason: string): void {
  entry.reason = reason;
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}
