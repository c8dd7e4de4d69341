import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, type components, createClient, type paths } from '../../pkg/client/index.ts';
import { listenLocally, testHttp } from '../../test/support/http.ts';
import { memoryIdempotency } from '../platform/http/idempotency.ts';
import type { Http } from '../platform/http/server.ts';
import { memoryRepository } from './repository.ts';
import { itemRoutes } from './routes.ts';

let http: Http;
let orders: Client<paths>;

beforeEach(async () => {
  http = await testHttp();
  itemRoutes(http, memoryRepository(), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
  orders = createClient({ baseUrl: `http://127.0.0.1:${await listenLocally(http)}` });
});
afterEach(() => http.close());

it('the client creates, finds and lists items', async () => {
  const { data, response } = await orders.POST('/items', { body: { name: 'anchor', quantity: 3 } });
  expect([response.status, response.headers.get('location')]).toEqual([201, `/items/${data.id}`]);
  const found = await orders.GET('/items/{id}', { params: { path: { id: data.id } } });
  const item: components['schemas']['Item'] = found.data;
  expect(item).toEqual(data);
  const page = await orders.GET('/items', { params: { query: { limit: 1 } } });
  expect(page.data.items).toEqual([data]);
});

it('the client throws the errors of the service', async () => {
  const params = { path: { id: '00000000-0000-4000-8000-000000000000' } };
  await expect(orders.GET('/items/{id}', { params })).rejects.toMatchObject({ code: 'item_not_found', status: 404 });
  // @ts-expect-error an item has a quantity
  await expect(orders.POST('/items', { body: { name: 'anchor' } })).rejects.toMatchObject({
    code: 'validation_failed',
    cause: { problem: { errors: [{ in: 'body', pointer: '/quantity' }] } },
  });
});
