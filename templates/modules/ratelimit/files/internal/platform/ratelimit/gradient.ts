/** Bounds and pace of a gradient limit. */
export interface GradientOptions {
  readonly min: number;
  readonly max: number;
  /** By how much samples may be slower than usual before the limit sinks. */
  readonly tolerance: number;
}

/** Of the first samples the usual latency is the average; then each counts for so little that it follows slowly. */
const warmUp = 10;
const usualOver = 600;
/** How much of each new limit is taken over. */
const smoothing = 0.2;
/** Requests by which the limit grows while nothing is slow. */
const headroom = 4;

/**
 * A concurrency limit that follows latency: Gradient2 of Netflix' concurrency-limits (https://github.com/Netflix/concurrency-limits).
 * When replies are slower than usual, work queues up somewhere, and the limit sinks by as much; otherwise it grows, as long as
 * it is used.
 */
export class GradientLimit {
  readonly #options: GradientOptions;
  #limit: number;
  #usualMs = 0;
  #samples = 0;

  /** @param options bounds and pace */
  constructor(options: GradientOptions) {
    this.#options = options;
    this.#limit = Math.min(Math.max(options.min, 100), options.max);
  }

  /** Requests that may be answered at the same time. */
  get value(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Takes in how long replies took lately.
   * @param ms their average, in milliseconds
   * @param inFlight the most that were being answered meanwhile
   */
  sample(ms: number, inFlight: number): void {
    const { min, max, tolerance } = this.#options;
    this.#samples += 1;
    this.#usualMs += (ms - this.#usualMs) * (this.#samples <= warmUp ? 1 / this.#samples : 2 / (usualOver + 1));
    // After a slow time the usual would take long to sink.
    if (this.#usualMs > 2 * ms) this.#usualMs *= 0.95;
    // A limit that is not reached says nothing about what would be good.
    if (inFlight < this.#limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, (tolerance * this.#usualMs) / ms));
    const next = this.#limit * gradient + headroom;
    this.#limit = Math.min(Math.max(this.#limit + (next - this.#limit) * smoothing, min), max);
  }
}
