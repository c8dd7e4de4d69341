import { type Item, type ItemRepository, inListOrder } from './domain.ts';

/** @returns a repository in memory, which loses its items on a restart */
export function memoryRepository(): ItemRepository {
  const items = new Map<string, Item>();
  return {
    async add(item) {
      items.set(item.id, item);
    },
    async find(id) {
      return items.get(id);
    },
    async list({ limit, after, name = '' }) {
      return [...items.values()]
        .filter((item) => after === undefined || inListOrder(after, item) < 0)
        .filter((item) => item.name.toLowerCase().includes(name.toLowerCase()))
        .toSorted(inListOrder)
        .slice(0, limit);
    },
  };
}
