import type { Http2Session } from 'node:http2';

/** The most milliseconds that a client is given to end its side, too. */
const longestMs = 5000;

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
    this.#limitMs = Math.min(limitMs, longestMs);
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
