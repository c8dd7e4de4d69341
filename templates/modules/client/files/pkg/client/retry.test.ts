import { expect, it } from 'vitest';
import { backoffMs, retryAfterMs, wait } from './retry.ts';

it('the wait grows from attempt to attempt up to the most, and any part of it may be chosen', () => {
  const policy = { attempts: 9, baseMs: 100, maxMs: 1000 };
  const longest = [1, 2, 3, 4, 5, 99].map((attempt) => backoffMs(attempt, policy, () => 1));
  expect(longest).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(backoffMs(3, policy, () => 0)).toBe(0);
  const chosen = new Set(Array.from({ length: 20 }, () => backoffMs(3, policy)));
  expect(chosen.size).toBeGreaterThan(10);
});

it.each([
  [null, undefined],
  ['0', 0],
  ['120', 120_000],
  ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
  ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
])('Retry-After %j is %s ms', (value, ms) => {
  expect(retryAfterMs(value, Date.UTC(2026, 9, 21, 7, 28))).toBe(ms);
});

it('a wait that was over before it began does not begin', async () => {
  await expect(wait(1000, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
});
