import { outOfTime, runWith } from '../../pkg/context/index.ts';
import { fault } from './faults.ts';
import type { Call } from './call.ts';
import type { Interceptor } from './interceptor.ts';

/** Milliseconds between two looks for calls whose deadline has passed. */
const sweepEvery = 50;

/** The calls that are being answered: at most so many, and none beyond its deadline. One timer looks after all of them. */
export class InFlight {
  readonly #limit: number;
  readonly #fail: (call: Call, error: unknown) => void;
  readonly #timed = new Set<Call>();
  #count = 0;
  #sweeper: NodeJS.Timeout | undefined;

  /**
   * @param limit most calls at the same time
   * @param fail ends a call with an error
   */
  constructor(limit: number, fail: (call: Call, error: unknown) => void) {
    this.#limit = limit;
    this.#fail = fail;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Turns calls away that are too many. */
  readonly limited: Interceptor = async (_call, next) => {
    if (this.#count >= this.#limit) {
      throw fault('calls_too_many', 'RESOURCE_EXHAUSTED', 'The service has too many calls at the moment. Try again.');
    }
    this.#count += 1;
    try {
      await next();
    } finally {
      this.#count -= 1;
    }
  };

  /** Answers calls for which there is no time left, whatever their handlers do. */
  readonly timed: Interceptor = async (call, next) => {
    if (call.deadline === Infinity) return next();
    this.#timed.add(call);
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepEvery).unref();
    try {
      return await next();
    } finally {
      this.#timed.delete(call);
    }
  };

  /** Looks after none any more. */
  stop(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #sweep(): void {
    const now = performance.now();
    for (const call of this.#timed) {
      if (call.deadline > now) continue;
      this.#timed.delete(call);
      const error = outOfTime(call.id);
      call.cancel(error);
      runWith(call, this.#fail, call, error);
    }
    if (this.#timed.size === 0) this.stop();
  }
}
