import { MemoryDatabase } from '../platform/resource/memory.ts';
import type { Item, ItemRepository } from './domain.ts';

/**
 * @param database with the tables that items refer to
 * @returns items in memory, for development and tests
 */
export function memoryItems(database = new MemoryDatabase()): ItemRepository {
  return database.repository<Item>({ name: 'items' });
}
