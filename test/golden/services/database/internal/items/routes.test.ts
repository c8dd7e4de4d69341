import { beforeEach, expect, it } from 'vitest';
import { testHttp } from '../../test/support/http.ts';
import { memoryIdempotency } from '../platform/resource/idempotency.ts';
import type { Http } from '../platform/http/server.ts';
import type { Item } from './domain.ts';
import { aNewItem } from './examples.ts';
import { memoryItems } from './memory.ts';
import { itemRoutes } from './routes.ts';
import { itemService } from './service.ts';

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  itemRoutes(http, itemService(memoryItems()), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
});

type Headers = Readonly<Record<string, string>>;

const url = '/items';
const two = [aNewItem, aNewItem];

function post(body: object, headers: Headers = {}, path = url) {
  return http.inject({ method: 'POST', url: path, body, headers });
}

async function created(): Promise<Item> {
  return (await post(aNewItem)).json();
}

async function list(query: Headers): Promise<{ items: Item[]; next: string }> {
  return (await http.inject({ url, query })).json();
}

it('an item is created, found and deleted', async () => {
  const reply = await post(aNewItem);
  expect([reply.statusCode, reply.headers['etag']]).toEqual([201, '"1"']);
  const place = String(reply.headers['location']);
  const found = await http.inject({ url: place });
  expect(found.json()).toEqual(reply.json());
  const unchanged = await http.inject({ url: place, headers: { 'if-none-match': '"1"' } });
  expect(unchanged.statusCode).toBe(304);

  const remove = (headers: Headers) => http.inject({ method: 'DELETE', url: place, headers });
  expect((await remove({})).statusCode).toBe(428);
  expect((await remove({ 'if-match': '"7"' })).statusCode).toBe(412);
  expect((await remove({ 'if-match': '"1"' })).statusCode).toBe(204);
  expect((await http.inject({ url: place })).json()).toMatchObject({ status: 404, code: 'item_not_found' });
});

it('a request with an unknown field is refused, and the problem names the field and the rule', async () => {
  const refused = await post({ ...aNewItem, unknown: 1 });
  const errors = [expect.objectContaining({ pointer: '/unknown', rule: 'additionalProperties' })];
  expect(refused.json()).toMatchObject({ status: 400, errors });
});

it('a request that is sent again with its Idempotency-Key creates one item', async () => {
  const headers = { 'idempotency-key': '7f3c' };
  const first = await post(aNewItem, headers);
  expect((await post(aNewItem, headers)).json()).toEqual(first.json());
  expect((await list({})).items).toHaveLength(1);
});

it('a change needs the version that the caller has seen, and is lost for none of several callers', async () => {
  const { id } = await created();
  const patch = async (headers: Headers) =>
    (await http.inject({ method: 'PATCH', url: `${url}/${id}`, body: {}, headers })).statusCode;
  expect([await patch({}), await patch({ 'if-match': '"7"' })]).toEqual([428, 412]);
  const statuses = await Promise.all(Array.from({ length: 8 }, () => patch({ 'if-match': '"1"' })));
  expect(statuses.filter((status) => status !== 200)).toEqual(Array.from({ length: 7 }, () => 412));
});

it('a change that another one overtakes is refused', async () => {
  const service = itemService({ ...memoryItems(), save: async () => false, remove: async () => false });
  const { id } = await service.create(aNewItem);
  await expect(service.change(id, {}, [1])).rejects.toMatchObject({ status: 412 });
  await expect(service.remove(id)).rejects.toMatchObject({ code: 'concurrent_change' });
});

it('a list gives page after page, each item once', async () => {
  const all = await Promise.all(two.map(async (body) => (await post(body)).json<Item>().id));
  const first = await list({ limit: '1', sort: 'createdAt' });
  const last = await list({ limit: '1', sort: 'createdAt', cursor: first.next });
  expect(new Set([...first.items, ...last.items].map(({ id }) => id))).toEqual(new Set(all));
  expect(last).not.toHaveProperty('next');
  expect(await list({ limit: '1', cursor: first.next })).toMatchObject({ status: 400, code: 'invalid_cursor' });
});
