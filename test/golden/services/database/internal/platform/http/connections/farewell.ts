import { type ServerHttp2Session, type ServerHttp2Stream, constants } from 'node:http2';

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
