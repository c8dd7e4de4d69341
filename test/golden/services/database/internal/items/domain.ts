import { type Static, Type } from 'typebox';
import { assertValid, mergePatch, patchOf, type Repository } from '../../pkg/resource/index.ts';

/** The fields that a caller chooses, with their rules. */
const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  quantity: Type.Integer({ minimum: 0, maximum: 1000000 }),
};

/** The fields of a new item. */
export const NewItem = Type.Object(fields, {
  $id: 'NewItem',
  description: 'The fields of a new item',
  additionalProperties: false,
});
export type NewItem = Static<typeof NewItem>;

/** The fields of an item that change, as a merge patch (RFC 7396). */
export const ItemChanges = patchOf({
  $id: 'ItemChanges',
  description: 'The fields that change; null removes an optional one (RFC 7396)',
  of: NewItem,
  fields: ['name', 'quantity'],
});
export type ItemChanges = Static<typeof ItemChanges>;

/** An item. */
export const Item = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    version: Type.Integer({ minimum: 1, description: 'Counts the changes' }),
    ...fields,
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Item', description: 'An item' },
);
export type Item = Readonly<Static<typeof Item>>;

/** Stores items. */
export type ItemRepository = Repository<Item>;

/**
 * @param given fields chosen by the caller
 * @param id a new id
 * @param now time of creation
 * @returns the first version of an item
 * @throws {ServiceError} 400 that names the fields that break a rule
 */
export function createItem(given: NewItem, id: string, now: Date): Item {
  assertValid(NewItem, given);
  const at = now.toISOString();
  return valid({ ...given, id, version: 1, createdAt: at, updatedAt: at });
}

/**
 * @param item as it is stored
 * @param changes chosen by the caller
 * @param now time of the change
 * @returns the next version
 * @throws {ServiceError} 400 that names the fields that break a rule
 */
export function changeItem(item: Item, changes: ItemChanges, now: Date): Item {
  assertValid(ItemChanges, changes);
  return next(valid(mergePatch(item, changes)), now);
}

function next(item: Item, now: Date): Item {
  return { ...item, version: item.version + 1, updatedAt: now.toISOString() };
}

/** @returns an item that keeps all rules */
function valid(item: unknown): Item {
  assertValid(Item, item);
  return item;
}
