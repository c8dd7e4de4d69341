import { type Limit, type Standing, type State, decide, newState } from './limiter.ts';
import type { Store } from './store.ts';

/** Limits in the memory of this process. However many keys there are, it keeps so many: those seen last. */
export class MemoryStore implements Store {
  /** In the order in which they were last seen. */
  readonly #states = new Map<string, State>();
  readonly #most: number;
  readonly #evicted: () => void;
  readonly #now: () => number;

  /**
   * @param most keys
   * @param evicted hears of each key that is forgotten for want of room
   * @param now a clock in milliseconds that does not go back
   */
  constructor(most: number, evicted: () => void, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#evicted = evicted;
    this.#now = now;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#states.size;
  }

  take(key: string, limit: Limit): Standing {
    const now = this.#now();
    const state = this.#states.get(key);
    if (state === undefined) return decide(this.#add(key, limit, now), limit, now);
    this.#states.delete(key);
    this.#states.set(key, state);
    return decide(state, limit, now);
  }

  #add(key: string, limit: Limit, now: number): State {
    const [oldest] = this.#states.size < this.#most ? [] : this.#states.keys();
    if (oldest !== undefined) {
      this.#states.delete(oldest);
      this.#evicted();
    }
    const state = newState(limit, now);
    this.#states.set(key, state);
    return state;
  }
}
