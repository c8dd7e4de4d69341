import { describe, expect, it } from 'vitest';
import { coveringArray, pairsIn, pairsOf } from '../helpers/coveringArray.ts';

describe('the covering array', () => {
  const factors = { a: ['1', '2', '3'], b: ['1', '2', '3'], c: ['x', 'y'], d: ['x', 'y'], e: ['x', 'y'] };

  it('has every pair of choices at least once', () => {
    const covered = new Set(coveringArray(factors).flatMap(pairsIn).map(normal));
    expect(
      pairsOf(factors)
        .map(normal)
        .filter((pair) => !covered.has(pair)),
    ).toEqual([]);
  });

  it('is far smaller than all combinations', () => {
    expect(coveringArray(factors).length).toBeLessThanOrEqual(12);
  });

  const normal = (pair: string): string => JSON.stringify(JSON.parse(pair).toSorted());
});
