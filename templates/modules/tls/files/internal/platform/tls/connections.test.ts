import { expect, it } from 'vitest';
import { Lingering } from './connections.ts';

it('begins when the session has ended, and is overdue beyond the limit, or five seconds', () => {
  const session = { destroyed: false };
  const [short, long] = [new Lingering(session, 100), new Lingering(session, 60_000)];
  expect([short.isOverdue(0), long.isOverdue(0)]).toEqual([false, false]);
  session.destroyed = true;
  expect([short.isOverdue(10_000), long.isOverdue(10_000)]).toEqual([false, false]);
  expect([short.isOverdue(10_100), long.isOverdue(10_100)]).toEqual([false, false]);
  expect([short.isOverdue(10_101), long.isOverdue(15_000)]).toEqual([true, false]);
  expect(long.isOverdue(15_001)).toBe(true);
});
