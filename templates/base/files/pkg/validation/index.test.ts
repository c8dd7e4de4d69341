import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { faultsOf, matches } from './index.ts';

const Order = Type.Object({ quantity: Type.Integer() }, { $id: 'Order' });

it('a schema may contain another one twice that has an id', () => {
  const change = Type.Object({ before: Order, after: Type.Array(Order) });
  expect(matches(change, { before: { quantity: 1 }, after: [{ quantity: 2 }] })).toBe(true);
  expect(faultsOf(change, { before: { quantity: 1 }, after: [{ quantity: 'two' }] })).toEqual([
    { pointer: '/after/0/quantity', rule: 'type', detail: 'must be integer' },
  ]);
});
