import { expect, it } from 'vitest';
import { aNewOrder, changeOrder, createOrder, moveOrder } from './domain.ts';

const created = new Date('2026-01-02T03:04:05Z');
const later = new Date('2026-01-03T03:04:05Z');
const order = createOrder(aNewOrder, 'id-1', created);

it('an order is created in its first version', () => {
  expect(order).toMatchObject({ ...aNewOrder, id: 'id-1', version: 1, status: 'created' });
});

it('a change makes the next version, and null removes an optional value', () => {
  const noted = changeOrder(order, { note: 'note' }, later);
  expect(noted).toMatchObject({ note: 'note', version: 2, updatedAt: later.toISOString() });
  expect(changeOrder(noted, { note: null }, later)).not.toHaveProperty('note');
});

it('a value that breaks a rule is refused, and the error names the field and the rule', () => {
  const errors = [expect.objectContaining({ pointer: '/quantity', rule: 'minimum' })];
  expect(() => changeOrder(order, { quantity: 0 }, later)).toThrow(expect.objectContaining({ details: { errors } }));
});

it('only the transitions of its state change the status of an order', () => {
  const confirmed = moveOrder(order, 'confirm', later);
  expect(confirmed).toMatchObject({ status: 'confirmed', version: 2 });
  expect(() => moveOrder(confirmed, 'confirm', later)).toThrow('An order that is confirmed cannot be confirmed.');
});
