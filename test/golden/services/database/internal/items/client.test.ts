import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, createClient, type paths } from '../../pkg/client/index.ts';
import { listenLocally, testHttp } from '../../test/support/http.ts';
import { memoryIdempotency } from '../platform/resource/idempotency.ts';
import type { Http } from '../platform/http/server.ts';
import { aNewItem } from './examples.ts';
import { memoryItems } from './memory.ts';
import { itemRoutes } from './routes.ts';
import { itemService } from './service.ts';

let http: Http;
let client: Client<paths>;
beforeEach(async () => {
  http = await testHttp();
  const service = itemService(memoryItems());
  itemRoutes(http, service, memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
  client = createClient({ baseUrl: `http://127.0.0.1:${await listenLocally(http)}` });
});
afterEach(() => http.close());

it('the client creates, finds and lists items', async () => {
  const { data } = await client.POST('/items', { body: aNewItem });
  const found = await client.GET('/items/{id}', { params: { path: { id: data.id } } });
  expect(found.data).toEqual(data);
  const page = await client.GET('/items', { params: { query: { limit: 1 } } });
  expect(page.data.items).toEqual([data]);
});

it('the client throws the errors of the service', async () => {
  const params = { path: { id: '00000000-0000-4000-8000-000000000000' } };
  const find = client.GET('/items/{id}', { params });
  await expect(find).rejects.toMatchObject({ code: 'item_not_found', status: 404 });
  const body = Object.assign({ unknown: 1 }, aNewItem);
  const create = client.POST('/items', { body });
  await expect(create).rejects.toMatchObject({
    code: 'validation_failed',
    cause: { problem: { errors: [{ in: 'body', pointer: '/unknown' }] } },
  });
});
