import { expect, it } from 'vitest';
import { SendBudget } from './peer.ts';

it('the budget of what waits gives up the client that has been slow for the longest time, until the rest fits', () => {
  const budget = new SendBudget(100);
  const givenUp: string[] = [];
  const client = (name: string) => ({
    giveUp() {
      givenUp.push(name);
      budget.remove(this);
    },
  });
  const [first, second, third] = [client('first'), client('second'), client('third')] as const;
  budget.add(first, 40);
  budget.add(second, 40);
  budget.add(first, 20);
  expect(givenUp).toEqual([]);
  budget.add(second, 5);
  expect(givenUp).toEqual(['first']);
  budget.add(third, 50);
  // The second has caught up, and is slow again: later than the third.
  budget.add(second, -45);
  budget.add(second, 50);
  expect(givenUp).toEqual(['first']);
  budget.add(second, 70);
  expect(givenUp).toEqual(['first', 'third', 'second']);
});
