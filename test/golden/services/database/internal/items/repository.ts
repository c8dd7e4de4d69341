import type { Item, ItemRepository } from './domain.ts';

/** @returns a repository in memory: it is empty again after a restart */
export function memoryRepository(): ItemRepository {
  const items = new Map<string, Item>();
  return {
    async add(item) {
      items.set(item.id, item);
    },
    async find(id) {
      return items.get(id);
    },
    async list(limit) {
      return [...items.values()].slice(-limit).toReversed();
    },
  };
}
