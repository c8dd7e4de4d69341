import { type Http2Session, type ServerHttp2Session, type ServerHttp2Stream, constants } from 'node:http2';

/** The largest id of a stream (RFC 9113, 5.1.1): a GOAWAY with it announces the end, and refuses nothing (6.8). */
const everyStream = 2 ** 31 - 1;

/** Milliseconds that a client may take to say what it still had in hand. */
const longestAnswerMs = 500;

/**
 * Asks the client of one connection to leave, without losing a call. A GOAWAY says which call is the last that will be answered;
 * Node sends it while further calls are on their way, or already read, and clients take those for refused. Here it is sent when
 * none is left.
 */
export class Farewell {
  readonly #session: ServerHttp2Session;
  readonly #closed: Promise<void>;
  #streams = 0;
  #quiet: (() => void) | undefined;
  #said: Promise<void> | undefined;

  /** @param session of a client that has just come */
  constructor(session: ServerHttp2Session) {
    this.#session = session;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    session.once('close', resolve);
    session.on('stream', (stream: ServerHttp2Stream) => {
      this.#streams += 1;
      stream.once('close', () => {
        this.#streams -= 1;
        if (this.#streams === 0) this.#quiet?.();
      });
    });
  }

  /** Requests that are being answered. */
  get streams(): number {
    return this.#streams;
  }

  /**
   * However often it is called, the client is asked once.
   * @returns when the connection is closed
   */
  say(): Promise<void> {
    return (this.#said ??= this.#say());
  }

  async #say(): Promise<void> {
    const session = this.#session;
    // It has ended on this side: what it stands on may not yet.
    if (session.destroyed) return this.#closed;
    const close = session.close.bind(session);
    // Both the server's own `close` and a client's GOAWAY, with which Node answers ours, would close in the way told above.
    session.close = () => undefined;
    session.goaway(constants.NGHTTP2_NO_ERROR, everyStream);
    const end = (): void => {
      if (session.destroyed) return;
      this.#quiet = close;
      if (this.#streams === 0) close();
    };
    // Having answered once, the client has heard; having answered again, it has sent all that it had in hand.
    session.ping(() => {
      if (!session.destroyed) session.ping(end);
    });
    // Clients that run on Node do not answer any more when nothing is in flight.
    const timer = setTimeout(end, longestAnswerMs);
    try {
      await this.#closed;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * @param error that a stream or a connection of HTTP/2 has ended with
 * @returns whether it is of the protocol: not of the network below it, and no code's own
 */
export function isOfHttp2(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('ERR_HTTP2_');
}

/** The most milliseconds that a client is given to end its side, too. */
const longestLingerMs = 5000;

/**
 * One connection of HTTP/2, once it has ended on this side. Node waits for the client to end its side as well, for ever: one that is gone,
 * or does not want to, never does.
 */
export class Lingering {
  readonly #session: Pick<Http2Session, 'destroyed'>;
  readonly #limitMs: number;
  #since: number | undefined;

  /**
   * @param session of the connection
   * @param limitMs milliseconds that its client may take; no more than five seconds
   */
  constructor(session: Pick<Http2Session, 'destroyed'>, limitMs: number) {
    this.#session = session;
    this.#limitMs = Math.min(limitMs, longestLingerMs);
  }

  /**
   * Is asked from time to time.
   * @param now by `performance.now()`
   * @returns whether the client has had its time: the connection is to be cut off
   */
  isOverdue(now: number): boolean {
    if (!this.#session.destroyed) return false;
    this.#since ??= now;
    return now - this.#since > this.#limitMs;
  }
}
