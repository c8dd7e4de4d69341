import type { EventEmitter } from 'node:events';
import { Counts } from '../http/connections/counts.ts';

/** How many there may be at the same time. */
export interface PeerLimits {
  readonly all: number;
  /** Of one address. */
  readonly peer: number;
}

/** Lets each address have so many of something, and all together so many. */
export class Peers {
  readonly #limits: PeerLimits;
  readonly #counts = new Counts();
  #all = 0;

  /** @param limits of what is admitted */
  constructor(limits: PeerLimits) {
    this.#limits = limits;
  }

  /**
   * @param address whose it is
   * @param one that has just come, a connection or a request; when it is let in, it is counted until it closes
   * @returns whether there is room for it
   */
  admit(address: string, one: EventEmitter): boolean {
    if (this.#all >= this.#limits.all || this.#counts.of(address) >= this.#limits.peer) return false;
    this.#all += 1;
    this.#counts.add(address);
    one.once('close', () => {
      this.#all -= 1;
      this.#counts.remove(address);
    });
    return true;
  }
}
