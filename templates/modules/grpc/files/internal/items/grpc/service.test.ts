import { timestampDate } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '@connectrpc/connect';
import { ItemService } from '../../../api/gen/items/v1/items_pb.ts';
import { type TestService, testService } from '../../platform/grpc/testing.ts';
import type { ItemRepository } from '../domain.ts';
import { memoryRepository } from '../repository.ts';
import { serveItems } from './service.ts';

let service: TestService;
let repository: ItemRepository;
let client: Client<typeof ItemService>;
beforeEach(async () => {
  repository = memoryRepository();
  service = await testService((grpc) => serveItems(grpc, repository));
  client = service.open().client(ItemService);
});
afterEach(() => service.stop());

/** Sends one after another. */
async function* each<Value>(...values: readonly Value[]): AsyncGenerator<Value, void> {
  yield* values;
}

interface Sent {
  readonly item?: { readonly name: string } | undefined;
}

async function names(items: AsyncIterable<Sent>): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { item } of items) found.push(item?.name);
  return found;
}

describe('ItemService', () => {
  it('creates an item and gives it back: the one that REST would', async () => {
    const { item } = await client.createItem({ name: ' bolt ', quantity: 3 });
    expect(item).toMatchObject({ name: 'bolt', quantity: 3 });
    const found = await client.getItem({ id: item?.id ?? '' });
    expect(found.item).toEqual(item);
    const kept = await repository.find(item?.id ?? '');
    expect(item?.createdAt && timestampDate(item.createdAt)).toEqual(kept?.createdAt);
  });

  it('answers NOT_FOUND with the code of the error for an item that is not there', async () => {
    await expect(client.getItem({ id: '7' })).rejects.toMatchObject({
      grpcStatus: 'NOT_FOUND',
      code: 'item_not_found',
      message: 'There is no item "7".',
    });
  });

  it.each([
    [{ name: ' ', quantity: 1 }, 'name'],
    [{ name: 'x'.repeat(201), quantity: 1 }, 'name'],
    [{ name: 'bolt', quantity: -1 }, 'quantity'],
  ])('answers INVALID_ARGUMENT to %j, naming the field', async (request, field) => {
    await expect(client.createItem(request)).rejects.toMatchObject({
      grpcStatus: 'INVALID_ARGUMENT',
      details: { field },
    });
  });

  it('imports a stream, and lists another: page after page, the newest first', async () => {
    const sent = Array.from({ length: 250 }, (_, quantity) => ({ item: { name: `item ${quantity}`, quantity } }));
    expect(await client.importItems(each(...sent))).toMatchObject({ created: 250 });
    const listed = await names(client.listItems({}));
    expect(new Set(listed).size).toBe(250);
    expect(await names(client.listItems({ name: 'ITEM 24' }))).toHaveLength(11);
  });

  it('does not import what is not valid, and says so in the middle of the stream', async () => {
    const sent = each({ item: { name: 'bolt', quantity: 1 } }, {}, { item: { name: 'nut', quantity: 1 } });
    await expect(client.importItems(sent)).rejects.toMatchObject({ grpcStatus: 'INVALID_ARGUMENT' });
    expect(await names(client.listItems({}))).toEqual(['bolt']);
  });

  it('answers ids as they come, without an item where there is none', async () => {
    const { item } = await client.createItem({ name: 'bolt', quantity: 3 });
    const answers = client.lookUpItems(each({ id: item?.id ?? '' }, { id: '7' }));
    expect(await names(answers)).toEqual(['bolt', undefined]);
  });
});
