import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Sampler } from './sampling.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** @returns which of so many lines of one message are kept, counted from 1 */
function kept(sampler: Sampler, message: string, lines: number): number[] {
  return Array.from({ length: lines }, (_, index) => index + 1).filter(() => sampler.keeps(message));
}

describe('the sampler', () => {
  it('keeps the first lines of a message, then each so many-th', () => {
    expect(kept(new Sampler({ initial: 3, thereafter: 4 }), 'request', 12)).toEqual([1, 2, 3, 7, 11]);
  });

  it('counts each message for itself', () => {
    const sampler = new Sampler({ initial: 1, thereafter: 0 });
    expect(kept(sampler, 'request', 100)).toEqual([1]);
    expect(kept(sampler, 'ready', 2)).toEqual([1]);
  });

  it('begins anew with each second', () => {
    const sampler = new Sampler({ initial: 2, thereafter: 0 });
    expect(kept(sampler, 'request', 3)).toEqual([1, 2]);
    vi.advanceTimersByTime(999);
    expect(kept(sampler, 'request', 3)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(kept(sampler, 'request', 3)).toEqual([1, 2]);
  });

  it('keeps all with an interval of 1', () => {
    expect(kept(new Sampler({ initial: 0, thereafter: 1 }), 'request', 3)).toEqual([1, 2, 3]);
  });

  it('counts messages together when there are too many to count apart', () => {
    const sampler = new Sampler({ initial: 1, thereafter: 0 });
    const messages = Array.from({ length: 5000 }, (_, index) => `item ${index} sold`);
    // A thousand of their own, and the first of all the others.
    expect(messages.filter((message) => sampler.keeps(message))).toHaveLength(1001);
  });
});
