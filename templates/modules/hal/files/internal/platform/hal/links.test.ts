import { Registry } from '@prometheus-io/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasLink, locate, membersOf } from '../../../pkg/client/hal/index.ts';
import { createClient } from '../../../pkg/client/index.ts';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { memoryIdempotency } from '../http/idempotency.ts';
import type { Http } from '../http/server.ts';
import { Identity } from '../identity/module.ts';
import { memoryRepository } from '../../items/repository.ts';
import { itemRoutes } from '../../items/routes.ts';
import { links, relations } from './links.ts';
import { createMetrics, speakHal } from './speakHal.ts';

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  speakHal(http, { links, relations, identity: new Identity(), metrics: createMetrics(new Registry()) });
  itemRoutes(http, memoryRepository(), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
});
afterEach(() => http.close());

it('from items to an item and back, by links alone', async () => {
  const baseUrl = `http://127.0.0.1:${await listenLocally(http)}`;
  const api = createClient({ baseUrl, accept: 'application/hal+json' });
  const start = await api.GET('/items', { params: { query: { limit: 1, name: 'bolt' } } });
  const created = await api.POST('/items', {
    at: locate(start, 'api:create'),
    body: { name: 'bolt', quantity: 3 },
  });
  await api.POST('/items', { body: { name: 'bolt M8', quantity: 1 } });
  await api.POST('/items', { body: { name: 'nut', quantity: 1 } });

  const first = await api.GET('/items', { at: locate(start, 'self') });
  const second = await api.GET('/items', { at: locate(first, 'next') });
  const again = await api.GET('/items', { at: locate(second, 'first') });
  expect(again.data).toEqual(first.data);
  expect(hasLink(second, 'next')).toBe(false);
  const listed = [first, second].flatMap(membersOf).map(({ data }) => data.name);
  expect(listed.toSorted()).toEqual(['bolt', 'bolt M8']);

  const one = await api.GET('/items/{id}', { at: locate(created, 'self') });
  expect(one.data).toMatchObject({ id: created.data.id, name: 'bolt' });
  const all = await api.GET('/items', { at: locate(one, 'collection') });
  expect(membersOf(all)).toHaveLength(3);
  const nuts = await api.GET('/items', { at: locate(all, 'search', { name: 'nut' }) });
  expect(membersOf(nuts)).toHaveLength(1);
});

it('an item that is sold out is restocked by its link, and what is in stock has none', async () => {
  const api = createClient({
    baseUrl: `http://127.0.0.1:${await listenLocally(http)}`,
    accept: 'application/hal+json',
  });
  const { data } = await api.POST('/items', { body: { name: 'bolt', quantity: 0 } });
  const soldOut = await api.GET('/items/{id}', { params: { path: { id: data.id } } });
  const more = await api.POST('/items', { at: locate(soldOut, 'api:restock'), body: { name: 'bolt', quantity: 5 } });
  expect(hasLink(more, 'api:restock')).toBe(false);
  const like = await api.GET('/items', { at: locate(soldOut, 'related') });
  const found = membersOf(like).map((item) => `${item.data.quantity}: ${hasLink(item, 'api:restock')}`);
  expect(found.toSorted()).toEqual(['0: true', '5: false']);
});

it('an item that is sold out leads to those of a like name', async () => {
  const linksOf = async (quantity: number): Promise<object> => {
    const headers = { accept: 'application/hal+json' };
    const made = await http.inject({ method: 'POST', url: '/items', headers, body: { name: 'a&b', quantity } });
    const { _links: found }: { _links: object } = made.json();
    return found;
  };
  expect(await linksOf(0)).toMatchObject({ related: { href: './items?name=a%26b' } });
  expect(await linksOf(1)).not.toHaveProperty('related');
});

it('who does not ask for HAL gets what there was without it', async () => {
  const { headers, body } = await http.inject('/items');
  expect([headers['content-type'], body]).toEqual(['application/json; charset=utf-8', '{"items":[]}']);
});
