/** A token bucket: so many a second, with bursts of twice as many. */
export class Rate {
  readonly #perSecond: number;
  #tokens: number;
  #at = performance.now();

  /** @param perSecond how many are let through, in the long run */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond * 2;
  }

  /**
   * @param cost how many tokens it takes
   * @returns whether there are as many
   */
  take(cost: number): boolean {
    const now = performance.now();
    this.#tokens = Math.min(this.#tokens + ((now - this.#at) / 1000) * this.#perSecond, this.#perSecond * 2);
    this.#at = now;
    this.#tokens -= cost;
    return this.#tokens >= 0;
  }
}
