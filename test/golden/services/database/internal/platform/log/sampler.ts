/** How many lines of one message are logged within a second. */
export interface Sampling {
  /** The first so many. */
  readonly initial: number;
  /** From there on, each how many-th: 1 is all, 0 is none. */
  readonly thereafter: number;
}

/** Milliseconds. */
const window = 1000;
/** Messages that are counted apart from each other; what comes beyond is counted together, so that memory is bounded. */
const mostMessages = 1000;

/** Chooses lines by message and second, as zap's sampler does: rare messages are never thinned out, floods are. */
export class Sampler {
  readonly #sampling: Sampling;
  readonly #counts = new Map<string, number>();
  #end = 0;

  /** @param sampling how many lines to keep */
  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /**
   * @param message of a line
   * @returns whether to log it
   */
  keeps(message: string): boolean {
    const now = performance.now();
    if (now >= this.#end) {
      this.#counts.clear();
      this.#end = now + window;
    }
    const key = this.#counts.size < mostMessages || this.#counts.has(message) ? message : '';
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const beyond = count - this.#sampling.initial;
    // The remainder of a division by 0 is no number: it is not 0 either.
    return beyond <= 0 || beyond % this.#sampling.thereafter === 0;
  }
}
