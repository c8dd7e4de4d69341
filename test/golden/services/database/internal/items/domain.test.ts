import { expect, it } from 'vitest';
import { changeItem, createItem } from './domain.ts';
import { aNewItem } from './examples.ts';

const created = new Date('2026-01-02T03:04:05Z');
const item = createItem(aNewItem, 'a1e9c7f0-3b7c-4b55-9a51-6f2f5e3d8c01', created);

it('an item is created in its first version', () => {
  expect(item).toMatchObject({
    ...aNewItem,
    version: 1,
    createdAt: created.toISOString(),
  });
});

it('a field that is missing or unknown is refused, and the error names the field and the rule', () => {
  const errors = [expect.objectContaining({ pointer: '/unknown', rule: 'additionalProperties' })];
  const refused = expect.objectContaining({ code: 'validation_failed', details: { errors } });
  const given = Object.assign({ unknown: 1 }, aNewItem);
  const create = () => createItem(given, item.id, created);
  expect(create).toThrow(refused);
});

it('a change makes the next version', () => {
  const later = new Date('2026-01-03T03:04:05Z');
  const changed = changeItem(item, {}, later);
  expect(changed).toEqual({ ...item, version: 2, updatedAt: later.toISOString() });
});
