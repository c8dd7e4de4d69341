import { outOfTime, runWith } from '../../../pkg/context/index.ts';
import { Counts } from '../http/connections/counts.ts';
import { fault } from './faults.ts';
import type { Call } from './call.ts';
import type { Interceptor } from './interceptor.ts';

/** Milliseconds between two looks for calls whose deadline has passed. */
const sweepEvery = 50;

/** Most calls at the same time. */
export interface CallLimits {
  readonly all: number;
  /** From one address. */
  readonly peer: number;
}

/** The calls that are being answered: at most so many, and none beyond its deadline. One timer looks after all of them. */
export class InFlight {
  readonly #limits: CallLimits;
  readonly #fail: (call: Call, error: unknown) => void;
  readonly #byPeer = new Counts();
  readonly #probesByPeer = new Counts();
  readonly #timed = new Set<Call>();
  #count = 0;
  #sweeper: NodeJS.Timeout | undefined;

  /**
   * @param limits most calls at the same time
   * @param fail ends a call with an error
   */
  constructor(limits: CallLimits, fail: (call: Call, error: unknown) => void) {
    this.#limits = limits;
    this.#fail = fail;
  }

  /** How many there are; probes are not among them. */
  get count(): number {
    return this.#count;
  }

  /**
   * Turns calls away that are too many: of one address, which otherwise could take all places, or of all. A probe takes no place of
   * theirs, for whoever finds a busy service dead makes it so; it counts among the probes of its address, lest they have no end.
   */
  readonly limited: Interceptor = async ({ peer, method: { isProbe } }, next) => {
    const byPeer = isProbe ? this.#probesByPeer : this.#byPeer;
    if (byPeer.of(peer) >= this.#limits.peer) {
      throw fault('peer_calls_too_many', 'RESOURCE_EXHAUSTED', 'Too many calls come from this address. Try again.');
    }
    if (!isProbe && this.#count >= this.#limits.all) {
      throw fault('calls_too_many', 'RESOURCE_EXHAUSTED', 'The service has too many calls at the moment. Try again.');
    }
    const places = isProbe ? 0 : 1;
    byPeer.add(peer);
    this.#count += places;
    try {
      await next();
    } finally {
      byPeer.remove(peer);
      this.#count -= places;
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
