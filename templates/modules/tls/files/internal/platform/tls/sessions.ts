import {
  type Http2Server,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  constants,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Counts } from '../http/connections.ts';
import { Farewell, Lingering, isOfHttp2 } from './connections.ts';
import type { Http2Metrics } from './metrics.ts';

/** How many requests there may be at the same time. */
interface RequestLimits {
  readonly all: number;
  /** Of one address. */
  readonly peer: number;
}

/** Lets each address have so many requests, and all together so many. */
class RequestCounts {
  readonly #limits: RequestLimits;
  readonly #counts = new Counts();
  #all = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Counts a request that there is room for, until its stream closes. */
  admit(address: string, stream: ServerHttp2Stream): boolean {
    if (this.#all >= this.#limits.all || this.#counts.of(address) >= this.#limits.peer) return false;
    this.#all += 1;
    this.#counts.add(address);
    stream.once('close', () => {
      this.#all -= 1;
      this.#counts.remove(address);
    });
    return true;
  }
}

export interface SessionOptions {
  /** Most requests that are being answered at the same time. */
  readonly requests: RequestLimits;
  /** Milliseconds after which a connection without requests is closed. */
  readonly idleMs: number;
  /** Milliseconds within which a client must have sent its whole request. */
  readonly requestMs: number;
  /** Milliseconds for which a client may leave a piece of a reply unread. */
  readonly stallMs: number;
  /** Milliseconds that a client may take to end its side of a connection that has ended on this one; no more than five seconds. */
  readonly lingerMs: number;
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
  readonly lingering: Lingering;
  readonly socket: TLSSocket;
  /** Its client's. */
  readonly address: string;
  controlFrames: number;
  /** When it was last used: when it came, or when its last request was over. */
  used: number;
  /** Whether it was closed for what its client did, which is counted already. */
  isCounted: boolean;
}

interface Stream {
  readonly session: Session | undefined;
  readonly begun: number;
  /** Bytes of the reply that its client has yet to make room for, and since when they have been as many. */
  waiting: number;
  since: number;
  /** Why it was reset on this side. */
  reason?: string;
}

/** The connections by HTTP/2: none whose client floods, stalls or is gone, and none cut off while requests are in flight. */
export class Sessions {
  readonly #server: Http2Server;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<Http2Session, Session>();
  readonly #streams = new Map<ServerHttp2Stream, Stream>();
  readonly #requests: RequestCounts;
  readonly #sweeper: NodeJS.Timeout;
  #leaving = false;

  /**
   * @param server of HTTP/2, which gets its connections from here
   * @param options limits
   */
  constructor(server: Http2Server, options: SessionOptions) {
    this.#server = server;
    this.#options = options;
    this.#requests = new RequestCounts(options.requests);
    // Before there is a request: what is too many is answered by nobody.
    server.prependListener('stream', (stream) => this.#watch(stream));
    server.on('sessionError', (error) => {
      // A connection that is lost, by a client that resets it say, breaks no protocol.
      if (isOfHttp2(error)) options.metrics.closed.inc({ reason: 'protocol_error' });
    });
    // One timer looks after all of them, as in internal/platform/http/requests.ts.
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), options.sweepMs).unref();
  }

  /** @param socket on which a client has agreed to speak HTTP/2 */
  accept(socket: TLSSocket): void {
    const add = (session: ServerHttp2Session): void => this.#add(session, socket);
    this.#server.once('session', add);
    this.#server.emit('connection', socket);
    this.#server.off('session', add);
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
    }
  }

  /**
   * Breaks a reply off for want of memory.
   * @param stream of the reply
   */
  giveUp(stream: ServerHttp2Stream): void {
    const entry = this.#streams.get(stream);
    const { session } = stream;
    if (entry === undefined || session === undefined) return;
    reset(stream, entry, 'memory');
    stream.destroy();
    // What the connection has taken over already is freed with it alone, when its client does not even take the reset.
    setImmediate(() => {
      if ((session.state.outboundQueueSize ?? 0) > 0) this.#abandon(entry.session, 'memory');
    });
  }

  /** Looks after nothing any more. */
  close(): void {
    clearInterval(this.#sweeper);
  }

  #add(session: ServerHttp2Session, socket: TLSSocket): void {
    const [farewell, lingering] = [new Farewell(session), new Lingering(session, this.#options.lingerMs)];
    const address = socket.remoteAddress ?? '';
    const entry: Session = {
      farewell,
      lingering,
      socket,
      address,
      controlFrames: 0,
      used: performance.now(),
      isCounted: false,
    };
    this.#sessions.set(session, entry);
    session.once('close', () => this.#sessions.delete(session));
    session.setLocalWindowSize(this.#options.windowBytes);
    const count = (): void => {
      entry.controlFrames += 1;
      if (entry.controlFrames > this.#options.controlFrames) this.#end(session, entry, 'flood');
    };
    session.on('ping', count);
    session.on('remoteSettings', count);
    // Its handshake was under way when the service began to stop.
    if (this.#leaving) void farewell.say();
  }

  #end(session: Http2Session, entry: Session, reason: string): void {
    if (session.destroyed) return;
    entry.isCounted = true;
    this.#options.metrics.closed.inc({ reason });
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #watch(stream: ServerHttp2Stream): void {
    const begun = performance.now();
    const session = stream.session && this.#sessions.get(stream.session);
    const entry: Stream = { session, begun, waiting: 0, since: begun };
    this.#streams.set(stream, entry);
    // As many bytes may wait as before, and be others.
    stream.on('drain', () => (entry.since = performance.now()));
    stream.once('close', () => {
      this.#streams.delete(stream);
      if (session !== undefined) session.used = performance.now();
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
      this.#options.metrics.reset.inc({ reason: entry.reason ?? 'client' });
    });
    // Its client may send it again, to whomever: nothing was done for it (RFC 9113, 8.7).
    if (!this.#requests.admit(session?.address ?? '', stream)) {
      reset(stream, entry, 'too_many', constants.NGHTTP2_REFUSED_STREAM);
    }
  }

  #sweep(now: number): void {
    const { idleMs, requestMs, stallMs } = this.#options;
    for (const entry of this.#sessions.values()) {
      entry.controlFrames = 0;
      if (entry.lingering.isOverdue(now)) this.#abandon(entry, 'half_open');
      // Node's own timeout does not begin anew when a request ends of which nothing more could be sent.
      if (entry.farewell.streams === 0 && now - entry.used > idleMs) void entry.farewell.say();
    }
    for (const [stream, entry] of this.#streams) {
      const { writableLength } = stream;
      if (writableLength !== entry.waiting || writableLength === 0) {
        entry.waiting = writableLength;
        entry.since = now;
      }
      // Not even the reset has gone out by now: its client takes nothing from the connection.
      if (entry.reason !== undefined) this.#abandon(entry.session, 'stalled');
      else if (now - entry.since > stallMs) reset(stream, entry, 'stalled');
      else if (now - entry.begun > requestMs && stream.state.remoteClose === 0) reset(stream, entry, 'request_timeout');
    }
  }

  /** Ends a connection without a word: there is nobody to hear it. */
  #abandon(entry: Session | undefined, reason: string): void {
    if (entry === undefined) return;
    if (!entry.isCounted) this.#options.metrics.closed.inc({ reason });
    entry.isCounted = true;
    entry.socket.destroy();
  }

  #cutOff(): void {
    for (const [stream, entry] of this.#streams) {
      entry.reason = 'shutdown';
      stream.destroy(new Error('the service stopped'));
    }
    for (const session of this.#sessions.keys()) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }
}

function reset(
  stream: ServerHttp2Stream,
  entry: Stream,
  reason: string,
  code: number = constants.NGHTTP2_ENHANCE_YOUR_CALM,
): void {
  entry.reason = reason;
  stream.close(code);
}
