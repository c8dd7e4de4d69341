import type { GradientLimit } from './gradient.ts';

/** How dear a request is: the lower, the sooner it is turned away. */
export const priorities = ['low', 'normal', 'high'] as const;
export type Priority = (typeof priorities)[number];

/** The part of the limit that requests of a priority may fill: when it gets tight, the low ones go first. */
const shares: Readonly<Record<Priority, number>> = { low: 0.75, normal: 1, high: 1.25 };

/** A sample is the average of so many replies at least, over so many milliseconds at least: single ones differ by nature. */
const window = { replies: 10, ms: 100 };

/** Counts what is being answered, and turns away what would be too much. */
export class Concurrency {
  readonly #limit: GradientLimit;
  readonly #now: () => number;
  #inFlight = 0;
  #mostInFlight = 0;
  #sumMs = 0;
  #replies = 0;
  #since: number;

  /**
   * @param limit that follows latency
   * @param now a clock in milliseconds that does not go back
   */
  constructor(limit: GradientLimit, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
    this.#since = now();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get limit(): number {
    return this.#limit.value;
  }

  /**
   * @param priority of a request
   * @returns whether it is let in; then `leave` must follow
   */
  enter(priority: Priority): boolean {
    if (this.#inFlight >= this.#limit.value * shares[priority]) return false;
    this.#inFlight += 1;
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight);
    return true;
  }

  /**
   * One that was let in is over.
   * @param ms how long it took, in milliseconds; undefined when that says nothing
   */
  leave(ms: number | undefined): void {
    this.#inFlight -= 1;
    if (ms === undefined) return;
    this.#sumMs += ms;
    this.#replies += 1;
    const now = this.#now();
    if (this.#replies < window.replies || now - this.#since < window.ms) return;
    this.#limit.sample(this.#sumMs / this.#replies, this.#mostInFlight);
    this.#sumMs = 0;
    this.#replies = 0;
    this.#mostInFlight = this.#inFlight;
    this.#since = now;
  }
}
