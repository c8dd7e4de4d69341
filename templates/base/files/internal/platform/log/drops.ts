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
