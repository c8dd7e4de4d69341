/** Why a line is not in the log: sampling left it out, or it could not be written. */
export type DropReason = 'sampled' | 'lost';

/** Milliseconds from the first line that is dropped to the line that says how many were. */
const summaryAfter = 10_000;

/** Counts lines that are not in the log, and sees to it that the log says so: once in ten seconds at most. */
export class Drops {
  readonly #counts: Record<DropReason, number> = { sampled: 0, lost: 0 };
  readonly #told: Record<DropReason, number> = { sampled: 0, lost: 0 };
  readonly #tell: (sampled: number, lost: number) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param tell says how many lines were dropped since it was called last */
  constructor(tell: (sampled: number, lost: number) => void) {
    this.#tell = tell;
  }

  /** By reason, lines since the process began. */
  get counts(): Readonly<Record<DropReason, number>> {
    return this.#counts;
  }

  /**
   * @param reason why they are dropped
   * @param lines how many
   */
  add(reason: DropReason, lines: number): void {
    this.#counts[reason] += lines;
    this.#timer ??= setTimeout(() => this.tell(), summaryAfter).unref();
  }

  /** Says now what there is to say. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sampled = this.#counts.sampled - this.#told.sampled;
    const lost = this.#counts.lost - this.#told.lost;
    if (sampled === 0 && lost === 0) return;
    Object.assign(this.#told, this.#counts);
    this.#tell(sampled, lost);
  }
}

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
