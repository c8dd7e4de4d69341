import type { Call } from './call.ts';

/** How many looks for stalled readers fall into the time that they are given. */
const looks = 4;

/** The calls whose clients have something left to read. One timer looks after all of them: most are read at once. */
export class Unread {
  readonly #stallMs: number;
  readonly #stalled: (call: Call) => void;
  /** Since when, by `performance.now()`; the longest first. */
  readonly #since = new Map<Call, number>();
  #sweeper: NodeJS.Timeout | undefined;

  /**
   * @param stallMs milliseconds for which a client may leave what it is sent unread
   * @param stalled hears of each call whose client has left it for longer, once
   */
  constructor(stallMs: number, stalled: (call: Call) => void) {
    this.#stallMs = stallMs;
    this.#stalled = stalled;
  }

  /** @param call was sent something; what it was sent before, and has not read, counts from then */
  add(call: Call): void {
    if (this.#since.has(call)) return;
    this.#since.set(call, performance.now());
    this.#sweeper ??= setInterval(() => this.#sweep(), Math.ceil(this.#stallMs / looks)).unref();
  }

  /** @param call whose client has read all, or is gone */
  delete(call: Call): void {
    this.#since.delete(call);
  }

  /** Looks after none any more. */
  stop(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #sweep(): void {
    const latest = performance.now() - this.#stallMs;
    for (const [call, since] of this.#since) {
      if (since > latest) break;
      this.#since.delete(call);
      this.#stalled(call);
    }
    if (this.#since.size === 0) this.stop();
  }
}
