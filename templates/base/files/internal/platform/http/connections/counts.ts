/** How many each has: an address, of connections. Who has none takes no memory. */
export class Counts {
  readonly #counts = new Map<string, number>();

  /**
   * @param key whose
   * @returns how many it has
   */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** @param key has one more */
  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  /** @param key has one less */
  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
