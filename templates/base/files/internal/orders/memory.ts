import { MemoryDatabase } from '../platform/resource/memory.ts';
import type { Order, OrderRepository } from './domain.ts';

/**
 * @param database with the tables that orders refer to
 * @returns orders in memory, for development and tests
 */
export function memoryOrders(database = new MemoryDatabase()): OrderRepository {
  return database.repository<Order>({ name: 'orders', unique: ['sku'], refs: { customer: 'customers' }, numeric: ['price'] });
}
