import { expect, it } from 'vitest';
import { Backlog } from './backlog.ts';

it('gives up who has been slow for longest, until the rest fits', () => {
  const backlog = new Backlog(100);
  const givenUp: string[] = [];
  const client = (name: string) => ({
    giveUp() {
      givenUp.push(name);
      backlog.hold(this, 0);
    },
  });
  const [first, second, third] = [client('first'), client('second'), client('third')] as const;
  backlog.hold(first, 40);
  backlog.hold(second, 40);
  backlog.hold(first, 60);
  expect(givenUp).toEqual([]);
  backlog.hold(second, 45);
  expect(givenUp).toEqual(['first']);
  backlog.hold(third, 50);
  // It has caught up, and is slow anew: later than the third.
  backlog.hold(second, 0);
  backlog.hold(second, 50);
  expect(givenUp).toEqual(['first']);
  backlog.hold(second, 120);
  expect(givenUp).toEqual(['first', 'third', 'second']);
});
