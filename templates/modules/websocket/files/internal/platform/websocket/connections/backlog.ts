/** What waits for one client. */
export interface Waiting {
  /** Lets go of all of it: its client has been too slow. */
  giveUp(): void;
}

/**
 * Bounds what waits for all clients together: many that read nothing could otherwise take all memory, each within its own limit. Beyond the
 * limit, the one that has been slow for longest is given up first: who reads has caught up before it comes to that.
 */
export class Backlog {
  readonly #limitBytes: number;
  readonly #held = new Map<Waiting, number>();
  #total = 0;

  /** @param limitBytes for all clients */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * @param waiting of a client
   * @param bytes that it holds by now; 0 when there is nothing left
   */
  hold(waiting: Waiting, bytes: number): void {
    this.#total += bytes - (this.#held.get(waiting) ?? 0);
    if (bytes === 0) this.#held.delete(waiting);
    else this.#held.set(waiting, bytes);
    for (const oldest of this.#held.keys()) {
      if (this.#total <= this.#limitBytes) return;
      oldest.giveUp();
    }
  }
}
