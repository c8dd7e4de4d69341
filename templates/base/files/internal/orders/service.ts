import { randomUUID } from 'node:crypto';
import { concurrentChange, existing, type ListQuery } from '../../pkg/resource/index.ts';
import {
  changeOrder,
  createOrder,
  moveOrder,
  type NewOrder,
  type Order,
  type OrderChanges,
  type OrderRepository,
  type OrderTransition,
} from './domain.ts';

/** What callers can do with orders, by any protocol. `accepted` are the versions that the caller accepts, by default any. */
export type OrderService = ReturnType<typeof orderService>;

/**
 * @param repository of the orders
 * @param now the clock
 * @returns the use cases
 */
export function orderService(repository: OrderRepository, now = () => new Date()) {
  const get = async (id: string, accepted?: readonly number[]): Promise<Order> =>
    existing('order', await repository.find(id), id, accepted);

  const save = async (order: Order): Promise<Order> => {
    if (!(await repository.save(order))) throw concurrentChange();
    return order;
  };

  return {
    get: (id: string) => get(id),
    list: (query: ListQuery) => repository.list(query),

    async create(fields: NewOrder): Promise<Order> {
      const order = createOrder(fields, randomUUID(), now());
      await repository.add(order);
      return order;
    },

    change: async (id: string, changes: OrderChanges, accepted?: readonly number[]) =>
      save(changeOrder(await get(id, accepted), changes, now())),

    move: async (id: string, transition: OrderTransition, accepted?: readonly number[]) =>
      save(moveOrder(await get(id, accepted), transition, now())),

    async remove(id: string, accepted?: readonly number[]): Promise<void> {
      if (!(await repository.remove(await get(id, accepted)))) throw concurrentChange();
    },
  };
}
