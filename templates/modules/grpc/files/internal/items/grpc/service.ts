import { randomUUID } from 'node:crypto';
import { type MessageInitShape, create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type CreateItemRequest,
  CreateItemRequestSchema,
  ItemService,
  type ItemSchema,
} from '../../../api/gen/items/v1/items_pb.ts';
import { invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import type { Grpc } from '../../platform/grpc/server.ts';
import { type Item, type ItemRepository, createItem } from '../domain.ts';

const pageSize = 100;
const maxNameLength = 200;
const maxQuantity = 1_000_000;

/**
 * @param grpc the server
 * @param repository of the items
 */
export function serveItems(grpc: Grpc, repository: ItemRepository): void {
  const add = async (request: CreateItemRequest): Promise<Item> => {
    check(request);
    const item = createItem(request, randomUUID(), new Date());
    await repository.add(item);
    return item;
  };

  grpc.add(ItemService, {
    async getItem({ id }) {
      const item = await repository.find(id);
      if (item === undefined) throw notFound('item', id);
      return { item: view(item) };
    },

    async createItem(request) {
      return { item: view(await add(request)) };
    },

    async *listItems({ name }) {
      for (let after: Item | undefined; ;) {
        const page = await repository.list({ limit: pageSize, name, ...(after && { after }) });
        for (const item of page) yield { item: view(item) };
        after = page.at(-1);
        if (page.length < pageSize) return;
      }
    },

    async importItems(requests) {
      let created = 0;
      for await (const { item } of requests) {
        await add(item ?? create(CreateItemRequestSchema));
        created += 1;
      }
      return { created };
    },

    async *lookUpItems(requests) {
      for await (const { id } of requests) {
        const item = await repository.find(id);
        yield { id, ...(item && { item: view(item) }) };
      }
    },
  });
}

function check({ name, quantity }: CreateItemRequest): void {
  if (name.trim() === '' || name.length > maxNameLength) {
    throw invalidArgument(`A name has 1 to ${maxNameLength} characters.`, { details: { field: 'name' } });
  }
  if (quantity < 0 || quantity > maxQuantity) {
    throw invalidArgument(`A quantity is 0 to ${maxQuantity}.`, { details: { field: 'quantity' } });
  }
}

function view({ id, name, quantity, createdAt }: Item): MessageInitShape<typeof ItemSchema> {
  return { id, name, quantity, createdAt: timestampFromDate(createdAt) };
}
