import { beforeEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../test/support/http.ts';
import type { Http } from '../http/server.ts';
import { memoryRepository } from './repository.ts';
import { itemRoutes } from './routes.ts';

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  itemRoutes(http, memoryRepository());
});

function create(body: object) {
  return http.inject({ method: 'POST', url: '/items', body });
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
  it('lists the newest first, as many as asked for', async () => {
    for (const name of ['a', 'b', 'c']) await create({ name, quantity: 1 });
    const listed = await http.inject({ url: '/items?limit=2' });
    expect(listed.json()).toMatchObject({ items: [{ name: 'c' }, { name: 'b' }] });
  });

  it('lists twenty when nothing is asked for', async () => {
    for (let quantity = 0; quantity < 21; quantity += 1) await create({ name: 'a', quantity });
    const { items }: { items: unknown[] } = (await http.inject({ url: '/items' })).json();
    expect(items).toHaveLength(20);
  });

  it.each(['0', '101', '2.5', 'all', ''])('refuses the limit "%s"', async (limit) => {
    const refused = await http.inject({ url: `/items?limit=${limit}` });
    expect(refused.statusCode).toBe(400);
  });
});
