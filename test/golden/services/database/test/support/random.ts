/** Chooses the same in each run. */
export interface Random {
  /** @returns a whole number from 0 to below `end` */
  readonly upTo: (end: number) => number;
  /** @returns one of these, of which there is at least one */
  readonly pick: <Value>(from: readonly Value[]) => Value;
}

/**
 * @param seed where the sequence begins
 * @returns choices by mulberry32
 */
export function randomFrom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const upTo = (end: number): number => Math.floor(next() * end);
  return {
    upTo,
    pick(from) {
      for (const one of from.slice(upTo(from.length))) return one;
      throw new RangeError('there is nothing to choose from');
    },
  };
}
