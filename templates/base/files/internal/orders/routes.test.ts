import { beforeEach, describe, expect, it } from 'vitest';
import { testHttp } from '../../test/support/http.ts';
import { memoryIdempotency } from '../platform/http/idempotency.ts';
import type { Http } from '../platform/http/server.ts';
import { aNewOrder, type Order } from './domain.ts';
import { memoryOrders } from './memory.ts';
import { orderRoutes } from './routes.ts';
import { orderService } from './service.ts';

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  orderRoutes(http, orderService(memoryOrders()), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
});

type Headers = Readonly<Record<string, string>>;

async function create(body: object = aNewOrder, headers: Headers = {}) {
  return http.inject({ method: 'POST', url: '/orders', body, headers });
}

/** Creates several orders. Their unique values differ. */
async function created(count: number): Promise<Order[]> {
  const orders: Order[] = [];
  for (let n = 1; n <= count; n += 1) orders.push((await create({ ...aNewOrder, sku: `sku ${n}` })).json());
  return orders;
}

function patch(id: string, body: object, headers: Headers = { 'if-match': '*' }) {
  return http.inject({ method: 'PATCH', url: `/orders/${id}`, body, headers });
}

it('an order is created, found, changed and deleted', async () => {
  const reply = await create();
  expect([reply.statusCode, reply.headers['etag']]).toEqual([201, '"1"']);
  const url = String(reply.headers['location']);
  const found = await http.inject({ url });
  expect(found.json()).toEqual(reply.json());

  const changed = await patch(found.json<Order>().id, { quantity: 1 });
  expect([changed.statusCode, changed.headers['etag'], changed.json().version]).toEqual([200, '"2"', 2]);

  const headers = { 'if-match': '"2"' };
  expect((await http.inject({ method: 'DELETE', url, headers })).statusCode).toBe(204);
  expect((await http.inject({ url })).json()).toMatchObject({ status: 404, code: 'order_not_found' });
});

it('a new order that lacks a field, or has an unknown one, is refused with the place', async () => {
  const { sku: _, ...rest } = aNewOrder;
  for (const [body, pointer] of [
    [rest, '/sku'],
    [{ ...aNewOrder, unknown: 1 }, '/unknown'],
  ] as const) {
    const refused = await create(body);
    expect([refused.statusCode, refused.json().errors]).toEqual([400, [expect.objectContaining({ pointer })]]);
  }
});

it('a request that is sent again with its Idempotency-Key creates one order', async () => {
  const headers = { 'idempotency-key': '7f3c' };
  const first = await create(aNewOrder, headers);
  expect((await create(aNewOrder, headers)).json()).toEqual(first.json());
  expect((await http.inject({ url: '/orders' })).json().items).toHaveLength(1);
});

it('a second order with the same sku is refused', async () => {
  await create();
  expect((await create()).json()).toMatchObject({ status: 409, code: 'already_exists' });
});

describe('a change of an order', () => {
  it('needs the version that the caller has seen', async () => {
    const [order] = await created(1);
    const id = String(order?.id);
    expect((await patch(id, {}, {})).statusCode).toBe(428);
    expect((await patch(id, {}, { 'if-match': '"7"' })).statusCode).toBe(412);
    expect((await patch(id, {}, { 'if-match': '"1"' })).statusCode).toBe(200);
  });

  it('is lost for none of several callers', async () => {
    const [order] = await created(1);
    const changes = Array.from({ length: 8 }, () => patch(String(order?.id), {}, { 'if-match': '"1"' }));
    const statuses = (await Promise.all(changes)).map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });
});

describe('a list of orders', () => {
  it('gives page after page, each order once', async () => {
    const all = await created(5);
    const found: Order[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const query = { limit: '2', sort: 'createdAt', ...(cursor && { cursor }) };
      const { items, next }: { items: Order[]; next?: string } = (await http.inject({ url: '/orders', query })).json();
      found.push(...items);
      cursor = next;
    }
    expect(found.map(({ id }) => id).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  });

  it('can be limited to a sku', async () => {
    const [, second] = await created(3);
    const { items } = (await http.inject({ url: '/orders', query: { sku: String(second?.sku) } })).json();
    expect(items).toEqual([second]);
  });

  it('refuses a cursor that is none, or of a list in another order', async () => {
    await created(2);
    const { next } = (await http.inject({ url: '/orders', query: { limit: '1' } })).json();
    for (const query of [{ cursor: 'x' }, { cursor: next, sort: 'createdAt' }])
      expect((await http.inject({ url: '/orders', query })).json()).toMatchObject({ code: 'invalid_cursor' });
  });
});

it('the state of an order follows its transitions', async () => {
  const [order] = await created(1);
  const move = (verb: string) => http.inject({ method: 'POST', url: `/orders/${order?.id}/${verb}` });
  expect((await move('confirm')).json()).toMatchObject({ status: 'confirmed', version: 2 });
  expect((await move('confirm')).json()).toMatchObject({ status: 409, code: 'invalid_transition' });
});
