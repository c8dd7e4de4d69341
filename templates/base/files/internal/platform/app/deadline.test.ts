import { describe, expect, it } from 'vitest';
import { DeadlineError, withDeadline } from './lifecycle.ts';

describe('withDeadline', () => {
  it('gives what the work gives', async () => {
    await expect(withDeadline('work', 1000, () => 42)).resolves.toBe(42);
  });

  it('passes on what the work throws', async () => {
    const work = Promise.reject(new RangeError('no'));
    await expect(withDeadline('work', 1000, () => work)).rejects.toThrow(RangeError);
  });

  it('ends work that heeds nothing, and tells it by the signal', async () => {
    let given: AbortSignal | undefined;
    const never = withDeadline('start', 10, (signal) => {
      given = signal;
      return new Promise(() => {});
    });
    await expect(never).rejects.toThrow(new DeadlineError('start took longer than 10 ms'));
    expect(given?.aborted).toBe(true);
  });
});
