import { describe, expect, it } from 'vitest';
import { Concurrency } from './concurrency.ts';
import { GradientLimit } from './gradient.ts';

const options = { min: 5, max: 1000, tolerance: 2 };

/** A server that answers so many at once; what is more waits, and all get slower by as much. */
function latency(capacity: number, inFlight: number, ms = 10): number {
  return ms * Math.max(1, inFlight / capacity);
}

/** Has a server be asked for more than it can, again and again. */
function press(limit: GradientLimit, capacity: number, offered: number, times = 300): void {
  for (let sample = 0; sample < times; sample += 1) {
    const inFlight = Math.min(limit.value, offered);
    limit.sample(latency(capacity, inFlight), inFlight);
  }
}

describe('the limit', () => {
  it('grows while replies are as fast as usual and it is used', () => {
    const limit = new GradientLimit(options);
    press(limit, 10_000, 10_000);
    expect(limit.value).toBeGreaterThan(250);
  });

  it('stays where it is while it is not used: that says nothing', () => {
    const limit = new GradientLimit(options);
    press(limit, 10, 20);
    expect(limit.value).toBe(100);
  });

  it('sinks when replies become slower, to where they are about as fast as usual, and rises afterwards', () => {
    const limit = new GradientLimit(options);
    press(limit, 400, 1000, 60);
    const before = limit.value;
    // A database that got slow: a tenth of the capacity.
    press(limit, 20, 1000, 40);
    const meanwhile = limit.value;
    expect(meanwhile).toBeLessThan(before / 2);
    expect(latency(20, meanwhile)).toBeLessThan(latency(20, before) / 2);
    press(limit, 400, 1000, 300);
    expect(limit.value).toBeGreaterThan(meanwhile * 2);
  });

  it('keeps its bounds', () => {
    const limit = new GradientLimit({ min: 50, max: 120, tolerance: 1 });
    press(limit, 10_000, 10_000);
    expect(limit.value).toBe(120);
    for (let ms = 1; ms < 1e6; ms *= 1.5) limit.sample(ms, 120);
    expect(limit.value).toBe(50);
  });
});

describe('a sample', () => {
  it('is the average of several replies over some time, and what was in flight meanwhile', () => {
    let now = 0;
    const samples: unknown[] = [];
    const limit = Object.assign(new GradientLimit(options), {
      sample: (ms: number, inFlight: number) => void samples.push([ms, inFlight]),
    });
    const concurrency = new Concurrency(limit, () => now);
    for (let entered = 0; entered < 12; entered += 1) concurrency.enter('normal');
    for (let left = 0; left < 9; left += 1) concurrency.leave(10);
    concurrency.leave(undefined);
    now += 100;
    expect(samples).toEqual([]);
    concurrency.leave(110);
    expect(samples).toEqual([[20, 12]]);
    expect(concurrency.inFlight).toBe(1);
  });
});
