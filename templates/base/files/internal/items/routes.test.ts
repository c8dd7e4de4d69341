import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testHttp } from '../../test/support/http.ts';
import { memoryIdempotency } from '../platform/http/idempotency.ts';
import type { Http } from '../platform/http/server.ts';
import type { Item } from './domain.ts';
import { memoryRepository } from './repository.ts';
import { itemRoutes } from './routes.ts';

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  itemRoutes(http, memoryRepository(), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
});

function create(body: object, headers: Readonly<Record<string, string>> = {}) {
  return http.inject({ method: 'POST', url: '/items', body, headers });
}

async function list(query: Readonly<Record<string, string>> = {}): Promise<{ items: Item[]; next?: string }> {
  return (await http.inject({ url: '/items', query })).json();
}

describe('POST /items', () => {
  it('answers 201 with the item and where it is', async () => {
    const created = await create({ name: ' bolt ', quantity: 3 });
    expect(created.statusCode).toBe(201);
    const item: { id: string } = created.json();
    expect(item).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      name: 'bolt',
      quantity: 3,
      createdAt: expect.stringMatching(/Z$/),
    });
    const found = await http.inject({ url: String(created.headers['location']) });
    expect(found.json()).toEqual(item);
  });

  it.each([
    [{ quantity: 3 }, '/name'],
    [{ name: ' ', quantity: 3 }, '/name'],
    [{ name: 'bolt', quantity: '3' }, '/quantity'],
    [{ name: 'bolt', quantity: -1 }, '/quantity'],
    [{ name: 'bolt', quantity: 3, colour: 'red' }, '/colour'],
  ])('refuses %j, pointing at %s', async (body, pointer) => {
    const refused = await create(body);
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ code: 'validation_failed', errors: [{ in: 'body', pointer }] });
  });
});

describe('POST /items, sent again with the same Idempotency-Key', () => {
  it('answers the same, and creates one item', async () => {
    const headers = { 'idempotency-key': '7f3c' };
    const first = await create({ name: 'bolt', quantity: 3 }, headers);
    const again = await create({ name: 'bolt', quantity: 3 }, headers);
    expect(again.statusCode).toBe(201);
    expect(again.body).toBe(first.body);
    expect(again.headers['location']).toBe(first.headers['location']);
    expect((await list()).items).toHaveLength(1);
    expect((await create({ name: 'nut', quantity: 3 }, headers)).statusCode).toBe(422);
  });
});

describe('GET /items/:id', () => {
  it('answers 404 for an item that is not there', async () => {
    const missing = await http.inject({ url: '/items/00000000-0000-4000-8000-000000000000' });
    expect(missing.statusCode).toBe(404);
    expect(missing.json()).toMatchObject({ code: 'item_not_found' });
  });

  it('answers 400 for what is no id', async () => {
    const refused = await http.inject({ url: '/items/7' });
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ errors: [{ in: 'params', pointer: '/id' }] });
  });
});

describe('GET /items', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives page after page, each item once, the newest first, whatever is added meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      // Two of each are equally new.
      if (name > 'b') vi.advanceTimersByTime(name === 'd' ? 0 : 1000);
      await create({ name, quantity: 1 });
    }
    vi.advanceTimersByTime(1000);
    const names: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const { items, next } = await list({ limit: '2', ...(cursor && { cursor }) });
      names.push(...items.map(({ name }) => name));
      await create({ name: 'late', quantity: 1 });
      cursor = next;
    }
    expect(names).toHaveLength(5);
    expect([names[0], names.slice(1, 3).toSorted(), names.slice(3).toSorted()]).toEqual(['e', ['c', 'd'], ['a', 'b']]);
  });

  it('lists those whose name contains what is asked for', async () => {
    for (const name of ['Bolt M8', 'nut', 'bolt']) await create({ name, quantity: 1 });
    const { items } = await list({ name: 'BOLT' });
    expect(items.map(({ name }) => name).toSorted()).toEqual(['Bolt M8', 'bolt']);
  });

  it('lists twenty when nothing is asked for, and says that there are more', async () => {
    for (let quantity = 0; quantity < 21; quantity += 1) await create({ name: 'a', quantity });
    const { items, next = '' } = await list();
    expect(items).toHaveLength(20);
    const last = await list({ cursor: next });
    expect(last.items).toHaveLength(1);
    expect(last).not.toHaveProperty('next');
  });

  it.each(['7', '[1]', '[1e99,"x"]', '[-1,"x"]', '[1.5,"x"]', '["1","x"]', '{}'])(
    'refuses the cursor %s',
    async (position) => {
      const refused = await http.inject({
        url: '/items',
        query: { cursor: Buffer.from(position).toString('base64url') },
      });
      expect(refused.statusCode).toBe(400);
      expect(refused.json()).toMatchObject({ code: 'invalid_cursor' });
    },
  );

  it.each(['0', '101', '2.5', 'all', ''])('refuses the limit "%s"', async (limit) => {
    const refused = await http.inject({ url: `/items?limit=${limit}` });
    expect(refused.statusCode).toBe(400);
  });
});
