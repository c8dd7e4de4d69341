import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { current } from '../../../pkg/context/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Http } from '../http/server.ts';
import { IdempotencyHeaders, memoryIdempotency, once } from './idempotency.ts';

const Order = Type.Object({ number: Type.Integer() });

let http: Http;
let made: number;
let work: () => Promise<void>;
beforeEach(async () => {
  made = 0;
  work = async () => undefined;
  const store = memoryIdempotency({ keys: 2, ttlMs: 1000 });
  http = await testHttp();
  const schema = { headers: IdempotencyHeaders, response: { 201: Order } };
  for (const url of ['/orders', '/refunds']) {
    http.post(url, { schema }, async (request, reply) => {
      const created = await once(store, request, Order, async () => {
        made += 1;
        const number = made;
        await work();
        return { number };
      });
      return reply.code(201).send(created);
    });
  }
});
afterEach(async () => {
  vi.useRealTimers();
  await http.close();
});

async function order(key?: string, body: object = { sku: 'bolt' }, url = '/orders') {
  return http.inject({ method: 'POST', url, body, headers: key === undefined ? {} : { 'idempotency-key': key } });
}

describe('a request with an Idempotency-Key', () => {
  it('sent again gets the same reply, and is carried out once', async () => {
    const first = await order('a');
    const again = await order('a');
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.body).toBe(first.body);
    expect(made).toBe(1);
  });

  it('is another one with another key, without a key, and on another route', async () => {
    for (const [key, url] of [['a'], ['b'], [undefined], [undefined], ['a', '/refunds']]) await order(key, {}, url);
    expect(made).toBe(5);
  });

  it('is another one of another caller, whose key may be the same', async () => {
    http.addHook('onRequest', ({ headers: { from = '' } }, _reply, done) => {
      const nothing = { scopes: new Set<string>(), roles: new Set<string>(), claims: {}, expiresAt: Infinity };
      current().set(principalKey, { subject: from, ...nothing });
      done();
    });
    const orderBy = (from: string) =>
      http.inject({ method: 'POST', url: '/orders', body: {}, headers: { 'idempotency-key': 'a', from } });
    const replies = [await orderBy('one'), await orderBy('another'), await orderBy('one')];
    expect(replies.map(({ body }) => body)).toEqual(['{"number":1}', '{"number":2}', '{"number":1}']);
  });

  it('is refused when its key was sent with another body', async () => {
    await order('a');
    const refused = await order('a', { sku: 'nut' });
    expect(refused.statusCode).toBe(422);
    expect(refused.json()).toMatchObject({ code: 'idempotency_key_reused' });
    expect(made).toBe(1);
  });

  it('is the same with its members in another order, at any depth, and another one with other items', async () => {
    const first = await order('a', { sku: 'bolt', sizes: [{ width: 1, height: 2 }, 3] });
    const again = await order('a', { sizes: [{ height: 2, width: 1 }, 3], sku: 'bolt' });
    expect([again.statusCode, again.body]).toEqual([201, first.body]);
    expect((await order('a', { sku: 'bolt', sizes: [3, { width: 1, height: 2 }] })).statusCode).toBe(422);
    expect(made).toBe(1);
  });

  it('is refused while the first is in flight', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    work = () => promise;
    const first = order('a');
    await vi.waitFor(() => expect(made).toBe(1), 60_000);
    const refused = await order('a');
    expect(refused.statusCode).toBe(409);
    expect(refused.json()).toMatchObject({ code: 'idempotency_key_in_flight' });
    resolve();
    expect((await first).statusCode).toBe(201);
  });

  it('may be tried again when it failed', async () => {
    work = async () => Promise.reject(new Error('no'));
    expect((await order('a')).statusCode).toBe(500);
    work = async () => undefined;
    expect((await order('a')).json()).toEqual({ number: 2 });
  });

  it.each(['', 'x'.repeat(256)])('must have a key of 1 to 255 characters: "%s"', async (key) => {
    expect((await order(key)).statusCode).toBe(400);
  });
});

describe('the store in memory', () => {
  it('forgets a key after its time', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    await order('a');
    vi.advanceTimersByTime(999);
    await order('a');
    expect(made).toBe(1);
    vi.advanceTimersByTime(1);
    await order('a');
    expect(made).toBe(2);
  });

  it('never holds more keys than it may: the oldest goes', async () => {
    for (const key of ['a', 'b', 'c', 'b', 'c']) await order(key);
    expect(made).toBe(3);
    await order('a');
    expect(made).toBe(4);
  });
});
