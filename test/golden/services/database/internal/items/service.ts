import { randomUUID } from 'node:crypto';
import { changeFeed, concurrentChange, existing, type ListQuery } from '../../pkg/resource/index.ts';
import { changeItem, createItem, type NewItem, type Item, type ItemChanges, type ItemRepository } from './domain.ts';

/** What callers can do with items, by any protocol. `accepted` are the versions that the caller accepts; any by default. */
export type ItemService = ReturnType<typeof itemService>;

/**
 * @param repository of the items
 * @param now the clock
 * @returns the use cases
 */
export function itemService(repository: ItemRepository, now = () => new Date()) {
  const { changed, onChange } = changeFeed<Item>();
  const get = async (id: string, accepted?: readonly number[]): Promise<Item> =>
    existing('item', await repository.find(id), id, accepted);

  const save = async (change: string, before: Item, after: Item, accepted?: readonly number[]): Promise<Item> => {
    if (!(await repository.save(after))) throw concurrentChange(accepted);
    changed(change, after, before);
    return after;
  };

  return {
    onChange,
    get: (id: string) => get(id),
    list: (query: ListQuery) => repository.list(query),

    async create(fields: NewItem): Promise<Item> {
      const item = createItem(fields, randomUUID(), now());
      await repository.add(item);
      changed('created', item);
      return item;
    },

    async change(id: string, changes: ItemChanges, accepted?: readonly number[]): Promise<Item> {
      const before = await get(id, accepted);
      return save('changed', before, changeItem(before, changes, now()), accepted);
    },

    async remove(id: string, accepted?: readonly number[]): Promise<void> {
      const before = await get(id, accepted);
      if (!(await repository.remove(before))) throw concurrentChange(accepted);
      changed('deleted', before);
    },
  };
}
