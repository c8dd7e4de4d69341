import { expect, it } from 'vitest';
import { createItem } from './domain.ts';

it('an item is created with its name trimmed', () => {
  const now = new Date('2026-01-02T03:04:05Z');
  expect(createItem({ name: '  bolt ', quantity: 3 }, 'id-1', now)).toEqual({
    id: 'id-1',
    name: 'bolt',
    quantity: 3,
    createdAt: now,
  });
});
