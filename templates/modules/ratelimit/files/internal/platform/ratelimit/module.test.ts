import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Http } from '../http/server.ts';
import { MemoryStore } from './limiter.ts';
import type { RoutePolicy } from './quotas.ts';
import { testService } from './testing.ts';

/** So slow that within a test nothing comes back. */
const slow = { windowSeconds: 3600, rate: 0.001 };

async function start(env: Readonly<Record<string, string>>, routes: (server: Http) => void) {
  const started = await testService(env, routes);
  onTestFinished(() => started.service.stop(0, 5000).then(() => undefined));
  const ask = (path = '/', headers: Record<string, string> = {}) => fetch(started.api + path, { headers });
  const statuses = async (count: number, path = '/', headers: Record<string, string> = {}) => {
    const all: number[] = [];
    for (let sent = 0; sent < count; sent += 1) all.push((await ask(path, headers)).status);
    return all;
  };
  return { ...started, ask, statuses };
}

const limited = (ratelimit: RoutePolicy) => (server: Http) => {
  server.get('/', { config: { ratelimit } }, () => ({}));
};

describe('a route with a policy', () => {
  it('tells each caller what is left, and refuses with 429, when to come again, and a problem', async () => {
    const { ask, metrics } = await start({}, limited({ name: 'prices', quota: 100, burst: 2, ...slow }));
    const first = await ask();
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toBe('"prices";q=100;w=3600');
    expect(first.headers.get('ratelimit')).toMatch(/^"prices";r=99;t=\d+$/);
    await ask();
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(900);
    expect(refused.headers.get('ratelimit')).toMatch(/^"prices";r=98;t=\d+$/);
    expect(await refused.json()).toMatchObject({
      status: 429,
      code: 'rate_limited',
      details: { policy: 'prices' },
      requestId: expect.any(String),
    });
    const text = await metrics.text();
    expect(text).toContain('ratelimit_decisions_total{policy="prices",outcome="allowed"} 2');
    expect(text).toContain('ratelimit_decisions_total{policy="prices",outcome="bucket"} 1');
    expect(text).toContain('errors_total{code="rate_limited"} 1');
  });

  it('keeps the total of the window, however fast the bucket flows', async () => {
    const { statuses, ask } = await start({}, limited({ quota: 3, burst: 100, rate: 1000, windowSeconds: 3600 }));
    expect(await statuses(5)).toEqual([200, 200, 200, 429, 429]);
    expect(await (await ask()).json()).toMatchObject({ details: { policy: 'GET /' } });
  });

  it('has a quota of its own, also where routes share what they say; by a name they share the quota', async () => {
    const strict = { quota: 3, burst: 3, ...slow };
    const named = { ...strict, name: 'both' };
    const { statuses, ask } = await start({}, (server) => {
      for (const url of ['/a', '/b']) server.get(url, { config: { ratelimit: strict } }, () => ({}));
      for (const url of ['/c', '/d']) server.get(url, { config: { ratelimit: named } }, () => ({}));
    });
    expect(await statuses(4, '/a')).toEqual([200, 200, 200, 429]);
    expect((await ask('/b', {})).headers.get('ratelimit-policy')).toMatch(/^"GET \/b";q=3;/);
    expect(await statuses(3, '/c')).toEqual([200, 200, 200]);
    expect(await statuses(1, '/d')).toEqual([429]);
  });

  it('has at least nothing left, where another limit of the same name has allowed more', async () => {
    const { statuses, ask } = await start({}, (server) => {
      for (const quota of [3, 1])
        server.get(`/${quota}`, { config: { ratelimit: { name: 'both', quota, burst: 3, ...slow } } }, () => ({}));
    });
    expect(await statuses(3, '/3')).toEqual([200, 200, 200]);
    expect((await ask('/1')).headers.get('ratelimit')).toMatch(/^"both";r=0;/);
  });

  it.each([{ quota: NaN }, { quota: 0 }, { quota: 0.5 }, { quota: 9, burst: 0 }, { quota: 9, rate: Infinity }])(
    'that limits no caller, or refuses all, stops the start: %o',
    async (policy) => {
      await expect(testService({}, limited(policy))).rejects.toThrow('The rate limit of / is not valid');
    },
  );

  it('has no fault when the connection is lost before it is checked', async () => {
    const { api, metrics, log } = await start({}, (server) => {
      server.addHook('onRequest', () => sleep(200));
      limited({ quota: 9 })(server);
    });
    const client = connect(Number(new URL(api).port), '127.0.0.1').on('error', () => {});
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await sleep(50);
    client.resetAndDestroy();
    await vi.waitFor(async () => expect(await metrics.text()).toContain('outcome="allowed"} 1'), { timeout: 5000 });
    expect(log.text).not.toContain('request failed');
  });

  it('does not wait for the body of a request that it refuses', async () => {
    const { api } = await start({}, (server) => {
      server.post('/', { config: { ratelimit: { quota: 1, ...slow } } }, () => ({}));
    });
    expect((await fetch(api, { method: 'POST' })).status).toBe(200);
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('"')) });
    const refused = await fetch(api, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    });
    expect(refused.status).toBe(429);
  });
});

describe('the policy of the settings', () => {
  const settings = { RATELIMIT_QUOTA: '20', RATELIMIT_BURST: '2', RATELIMIT_RATE: '0.001' };

  it('holds for routes without one of their own, together, and not for those that say so', async () => {
    const { statuses } = await start(settings, (server) => {
      server.get('/', () => ({}));
      server.get('/other', () => ({}));
      server.get('/free', { config: { ratelimit: false } }, () => ({}));
      server.get('/own', { config: { ratelimit: { quota: 1, ...slow } } }, () => ({}));
    });
    expect(await statuses(1)).toEqual([200]);
    expect(await statuses(2, '/other')).toEqual([200, 429]);
    expect(await statuses(4, '/free')).toEqual([200, 200, 200, 200]);
    expect(await statuses(2, '/own')).toEqual([200, 429]);
    expect(await statuses(3, '/nowhere')).toEqual([404, 404, 404]);
  });

  it('is there only when it is set', async () => {
    const { ask } = await start({}, (server) => void server.get('/', () => ({})));
    expect((await ask()).headers.get('ratelimit')).toBeNull();
  });
});

describe('the routes that change a resource', () => {
  const routes = (server: Http): void => {
    for (const resource of ['orders', 'parcels']) {
      const config = { resource };
      server.get(`/${resource}`, { config }, () => ({}));
      server.post(`/${resource}`, { config }, () => ({}));
      server.delete(`/${resource}/:id`, { config }, () => ({}));
    }
    server.post('/free', { config: { resource: 'orders', ratelimit: false } }, () => ({}));
    server.post('/other', () => ({}));
  };
  /** The status and the policy of each request. */
  async function policies(env: Readonly<Record<string, string>>, requests: readonly string[]) {
    const { api } = await start(env, routes);
    const all: string[] = [];
    for (const request of requests) {
      const [method = '', path = ''] = request.split(' ');
      const { status, headers } = await fetch(api + path, { method });
      all.push(`${status} ${headers.get('ratelimit-policy') ?? ''}`.trim());
    }
    return all;
  }

  it('share a quota for each caller, which has a default; others have none', async () => {
    const requests = ['POST /orders', 'DELETE /orders/1', 'POST /parcels', 'GET /orders', 'POST /free', 'POST /other'];
    expect(await policies({}, requests)).toEqual([
      '200 "orders:write";q=600;w=60',
      '200 "orders:write";q=600;w=60',
      '200 "parcels:write";q=600;w=60',
      '200',
      '200',
      '200',
    ]);
    const twenty = { RATELIMIT_WRITE_QUOTA: '20', RATELIMIT_WINDOW_SECONDS: '86400' };
    const repeated = ['POST /orders', 'DELETE /orders/1', 'POST /orders', 'POST /parcels', 'GET /orders'];
    expect(await policies(twenty, repeated)).toEqual([
      '200 "orders:write";q=20;w=86400',
      '200 "orders:write";q=20;w=86400',
      '429 "orders:write";q=20;w=86400',
      '200 "parcels:write";q=20;w=86400',
      '200',
    ]);
  });

  it('have no more than the quota of the settings, and that quota when they have none of their own', async () => {
    const few = { RATELIMIT_QUOTA: '30', RATELIMIT_WINDOW_SECONDS: '3600' };
    const requests = ['POST /orders', 'GET /orders'];
    const [write, read] = ['200 "orders:write";q=30;w=3600', '200 "default";q=30;w=3600'];
    expect(await policies(few, requests)).toEqual([write, read]);
    expect(await policies({ ...few, RATELIMIT_WRITE_QUOTA: '0' }, requests)).toEqual([read, read]);
    expect(await policies({ RATELIMIT_WRITE_QUOTA: '0' }, requests)).toEqual(['200', '200']);
  });
});

it('the name of a policy is that of its route, made to fit into a header', async () => {
  const { ask } = await start({}, (server) => {
    server.get('/:id(^\\d+$)', { config: { ratelimit: { quota: 9, ...slow } } }, () => ({}));
  });
  expect((await ask('/1')).headers.get('ratelimit-policy')).toBe('"GET /:id(^?d+$)";q=9;w=3600');
});

describe('the key', () => {
  const policy = { quota: 100, burst: 1, ...slow };

  it('is the user, wherever that comes from; whoever is unknown is counted by address', async () => {
    const { statuses } = await start({}, limited(policy));
    expect(await statuses(2, '/', { 'test-user': 'ada' })).toEqual([200, 429]);
    expect(await statuses(2, '/', { 'test-user': 'bob' })).toEqual([200, 429]);
    expect(await statuses(2)).toEqual([200, 429]);
    // No name passes for an address, or for two.
    expect(await statuses(2, '/', { 'test-user': 'p:127.0.0.1' })).toEqual([200, 429]);
  });

  it('may be any text of the request, however long', async () => {
    const key = ({ headers }: FastifyRequest) => headers['test-tenant']?.toString();
    const { statuses } = await start({}, limited({ ...policy, key }));
    const ofTenant = (tenant: string) => ({ 'test-user': 'ada', 'test-tenant': tenant });
    for (const tenant of ['a', 'b', 'x'.repeat(5000)]) {
      expect(await statuses(2, '/', ofTenant(tenant))).toEqual([200, 429]);
    }
    expect(await statuses(2, '/', { 'test-user': 'ada' })).toEqual([200, 429]);
  });

  it('is the same for HEAD, which is GET without a body', async () => {
    const { statuses, api } = await start({}, limited(policy));
    expect((await fetch(api, { method: 'HEAD' })).status).toBe(200);
    expect(await statuses(1)).toEqual([429]);
  });

  it('may be the address, which a stranger cannot choose and a trusted proxy tells', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const strange = await start({}, limited({ ...policy, key: 'address' }));
    expect(await strange.statuses(1, '/', from('192.0.2.1'))).toEqual([200]);
    expect(await strange.statuses(1, '/', from('192.0.2.2'))).toEqual([429]);
    const behind = await start({ HTTP_TRUSTED_PROXIES: '127.0.0.1' }, limited({ ...policy, key: 'address' }));
    expect(await behind.statuses(2, '/', from('192.0.2.1'))).toEqual([200, 429]);
    expect(await behind.statuses(2, '/', from('192.0.2.2'))).toEqual([200, 429]);
    // Whoever has one address of such a network has 2^64.
    expect(await behind.statuses(1, '/', from('2001:db8::1'))).toEqual([200]);
    expect(await behind.statuses(1, '/', from('2001:db8:0:0:ffff::2'))).toEqual([429]);
    expect(await behind.statuses(1, '/', from('2001:db8:0:1::1'))).toEqual([200]);
  });
});

describe('a flood', () => {
  it('with a new key each time takes up no more than so much memory, and others are limited as ever', () => {
    const store = new MemoryStore(50);
    const limit = { quota: 100, burst: 20, windowMs: 3_600_000, perMs: 1e-6 };
    const others: string[] = [];
    for (let sent = 0; sent < 2000; sent += 1) {
      store.take(`random-${sent}`, limit);
      if (sent % 40 === 0) others.push(store.take('another', limit).outcome);
    }
    expect(others.filter((outcome) => outcome === 'allowed')).toHaveLength(20);
    expect(store.take('random-0', limit)).toMatchObject({ left: 99 });
  });

  it('with one key is refused each time, and nobody else is', async () => {
    const { http, statuses } = await start({}, limited({ quota: 10, ...slow }));
    const flood = await Promise.all(
      Array.from({ length: 1000 }, () => http.inject({ url: '/', headers: { 'test-user': 'eve' } })),
    );
    expect(flood.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
    expect(flood.filter(({ statusCode }) => statusCode === 429)).toHaveLength(999);
    expect(await statuses(1, '/', { 'test-user': 'ada' })).toEqual([200]);
  });
});
