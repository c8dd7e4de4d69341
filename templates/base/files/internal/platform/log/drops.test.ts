import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Drops } from './sampling.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('dropped lines are told of once in ten seconds, and only when there are new ones', () => {
  const told: [number, number][] = [];
  const drops = new Drops((sampled, lost) => told.push([sampled, lost]));
  drops.add('sampled', 1);
  drops.add('lost', 2);
  vi.advanceTimersByTime(9999);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([[1, 2]]);

  vi.advanceTimersByTime(60_000);
  drops.tell();
  expect(told).toHaveLength(1);

  drops.add('sampled', 5);
  vi.advanceTimersByTime(10_000);
  expect(told.at(-1)).toEqual([5, 0]);
  expect(drops.counts).toEqual({ sampled: 6, lost: 2 });
});
