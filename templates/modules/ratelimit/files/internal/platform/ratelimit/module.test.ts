import type { FastifySchema } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { problems } from '../http/problems.ts';
import { describedSchema } from '../openapi/describe.ts';
import type { Http } from '../http/server.ts';
import * as configuration from './config.ts';
import * as module from './module.ts';
import type { RouteRatelimit } from './policy.ts';
import { testService } from './testing.ts';

const check = (env: Readonly<Record<string, string>>) => () =>
  checkConfig([configuration.config], env, module.ratelimit.rules);

it.each([
  {},
  { RATELIMIT_QUOTA: '0', RATELIMIT_BURST: '5', RATELIMIT_RATE: '1' },
  { RATELIMIT_QUOTA: '5', RATELIMIT_BURST: '5', RATELIMIT_WINDOW_SECONDS: '1', RATELIMIT_KEY: 'peer' },
  { RATELIMIT_QUOTA: '1000000', RATELIMIT_BURST: '1', RATELIMIT_RATE: '0.5' },
  { RATELIMIT_CONCURRENCY_MIN: '10', RATELIMIT_CONCURRENCY_MAX: '10' },
])('%j means something', (env) => {
  expect(check(env)).not.toThrow();
});

it.each([
  [{ RATELIMIT_CONCURRENCY_MIN: '500', RATELIMIT_CONCURRENCY_MAX: '10' }, 'at most RATELIMIT_CONCURRENCY_MAX'],
  [{ RATELIMIT_QUOTA: '10', RATELIMIT_BURST: '11' }, 'RATELIMIT_BURST: expected at most RATELIMIT_QUOTA'],
])('%j contradicts itself', (env, told) => {
  expect(check(env)).toThrow(told);
});

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

const limited = (ratelimit: RouteRatelimit) => (server: Http) => {
  server.get('/', { config: { ratelimit } }, () => ({}));
};

describe('a route with a policy', () => {
  it('tells each caller what is left, and refuses with 429, when to come again, and a problem', async () => {
    const { ask, metrics } = await start({}, limited({ policy: { name: 'prices', quota: 100, burst: 2, ...slow } }));
    const first = await ask();
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toBe('"prices";q=100;w=3600, "prices-burst";q=2;w=2000');
    expect(first.headers.get('ratelimit')).toMatch(/^"prices";r=99;t=\d+, "prices-burst";r=1;t=\d+$/);
    await ask();
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(900);
    expect(refused.headers.get('ratelimit')).toMatch(/"prices";r=98;t=\d+, "prices-burst";r=0;t=\d+/);
    expect(await refused.json()).toMatchObject({
      status: 429,
      code: 'rate_limited',
      details: { policy: 'prices-burst' },
      requestId: expect.any(String),
    });
    const text = await metrics.text();
    expect(text).toContain('ratelimit_decisions_total{policy="prices",outcome="allowed"} 2');
    expect(text).toContain('ratelimit_decisions_total{policy="prices",outcome="bucket"} 1');
    expect(text).toContain('errors_total{code="rate_limited"} 1');
  });

  it('keeps the total of the window, however fast the bucket flows', async () => {
    const { statuses, ask } = await start(
      {},
      limited({ policy: { quota: 3, burst: 100, rate: 1000, windowSeconds: 3600 } }),
    );
    expect(await statuses(5)).toEqual([200, 200, 200, 429, 429]);
    expect(await (await ask()).json()).toMatchObject({ details: { policy: 'GET /' } });
  });

  it('has a quota of its own, also where routes share what they say; by a name they share the quota', async () => {
    const strict = { policy: { quota: 3, burst: 3, ...slow } };
    const named = { policy: { ...strict.policy, name: 'both' } };
    const { statuses, ask } = await start({}, (server) => {
      for (const url of ['/a', '/b']) server.get(url, { config: { ratelimit: strict } }, () => ({}));
      for (const url of ['/c', '/d']) server.get(url, { config: { ratelimit: named } }, () => ({}));
    });
    expect(await statuses(4, '/a')).toEqual([200, 200, 200, 429]);
    expect((await ask('/b', {})).headers.get('ratelimit-policy')).toMatch(/^"GET \/b";q=3;/);
    expect(await statuses(3, '/c')).toEqual([200, 200, 200]);
    expect(await statuses(1, '/d')).toEqual([429]);
  });

  it('does not wait for the body of a request that it refuses', async () => {
    const { api } = await start({}, (server) => {
      server.post('/', { config: { ratelimit: { policy: { quota: 1, ...slow } } } }, () => ({}));
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

  it('says so in the contract', async () => {
    const said: Record<string, FastifySchema['response']> = {};
    await start({}, (server) => {
      server.addHook('onRoute', (route) => void (said[route.url] = describedSchema(route, {}).response));
      const schema = { operationId: 'one', response: { 200: {}, ...problems } };
      server.get('/one', { schema, config: { ratelimit: { policy: { quota: 1 } } } }, () => ({}));
      server.get('/two', { schema: { ...schema, operationId: 'two' } }, () => ({}));
    });
    expect(said['/one']).toHaveProperty('429');
    expect(said['/two']).not.toHaveProperty('429');
  });

  it.each([
    { quota: 0 },
    { quota: 1.5 },
    { quota: Infinity },
    { quota: 10, rate: -1 },
    { quota: 10, name: 'näme' },
    { quota: 10, key: [] },
  ])('that is none is told at start: %j', async (policy) => {
    await expect(testService({}, limited({ policy }))).rejects.toThrow('is not valid');
  });
});

describe('the policy of the settings', () => {
  const settings = { RATELIMIT_QUOTA: '20', RATELIMIT_BURST: '2', RATELIMIT_RATE: '0.001' };

  it('holds for routes without one of their own, together, and not for those that say so', async () => {
    const { statuses } = await start(settings, (server) => {
      server.get('/', () => ({}));
      server.get('/other', () => ({}));
      server.get('/free', { config: { ratelimit: { policy: false } } }, () => ({}));
      server.get('/own', { config: { ratelimit: { policy: { quota: 1, ...slow } } } }, () => ({}));
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

  it('is refused when its key is none', async () => {
    await expect(testService({ RATELIMIT_KEY: 'sender' }, () => {})).rejects.toThrow('RATELIMIT_KEY');
  });
});

it('the name of a policy is that of its route, made to fit into a header, and told from others like it', async () => {
  const long = `/${'long/'.repeat(40)}`;
  const { ask } = await start({}, (server) => {
    const config = { ratelimit: { policy: { quota: 9, ...slow } } };
    for (const path of [`${long}:id(^\\d+$)`, `${long}:id`]) server.get(path, { config }, () => ({}));
  });
  const names = await Promise.all(
    [`${long}1`, `${long}a`].map(
      async (path) => /^"(.*?)"/.exec((await ask(path)).headers.get('ratelimit') ?? '')?.[1],
    ),
  );
  expect(names).toEqual([expect.stringMatching(/^GET \/long.{80,93}$/), expect.stringMatching(/^GET \/long.{80,93}$/)]);
  expect(new Set(names).size).toBe(2);
});

describe('the key', () => {
  const policy = { quota: 100, burst: 1, ...slow };

  it('is the user, wherever that comes from; whoever is unknown is counted by address', async () => {
    const { statuses, metrics } = await start({}, limited({ policy }));
    expect(await statuses(2, '/', { 'test-user': 'ada' })).toEqual([200, 429]);
    expect(await statuses(2, '/', { 'test-user': 'bob' })).toEqual([200, 429]);
    expect(await statuses(2)).toEqual([200, 429]);
    // No name passes for an address, or for two.
    expect(await statuses(2, '/', { 'test-user': 'p:127.0.0.1' })).toEqual([200, 429]);
    expect(await metrics.text()).toContain('ratelimit_unknown_keys_total{part="user"} 2');
  });

  it('may be the tenant, and each route by itself', async () => {
    const { statuses } = await start({}, (server) => {
      const config = { ratelimit: { policy: { ...policy, name: 'all', key: ['tenant', 'path'] as const } } };
      server.get('/', { config }, () => ({}));
      server.get('/other', { config }, () => ({}));
    });
    const [ada, bob, eve] = [
      ['ada', 'a'],
      ['bob', 'a'],
      ['eve', 'b'],
    ].map(([user = '', tenant = '']) => ({
      'test-user': user,
      'test-tenant': tenant,
    }));
    expect(await statuses(1, '/', ada)).toEqual([200]);
    expect(await statuses(1, '/', bob)).toEqual([429]);
    expect(await statuses(1, '/other', bob)).toEqual([200]);
    expect(await statuses(1, '/', eve)).toEqual([200]);
  });

  it('of a route is the same for HEAD, which is GET without a body', async () => {
    const { statuses, api } = await start({}, limited({ policy: { ...policy, key: 'path' } }));
    expect((await fetch(api, { method: 'HEAD' })).status).toBe(200);
    expect(await statuses(1)).toEqual([429]);
  });

  it('may be the address, which a stranger cannot choose and a trusted proxy tells', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const strange = await start({}, limited({ policy: { ...policy, key: 'peer' } }));
    expect(await strange.statuses(1, '/', from('192.0.2.1'))).toEqual([200]);
    expect(await strange.statuses(1, '/', from('192.0.2.2'))).toEqual([429]);
    const behind = await start({ HTTP_TRUSTED_PROXIES: '127.0.0.1' }, limited({ policy: { ...policy, key: 'peer' } }));
    expect(await behind.statuses(2, '/', from('192.0.2.1'))).toEqual([200, 429]);
    expect(await behind.statuses(2, '/', from('192.0.2.2'))).toEqual([200, 429]);
    // Whoever has one address of such a network has 2^64.
    expect(await behind.statuses(1, '/', from('2001:db8::1'))).toEqual([200]);
    expect(await behind.statuses(1, '/', from('2001:db8:0:0:ffff::2'))).toEqual([429]);
    expect(await behind.statuses(1, '/', from('2001:db8:0:1::1'))).toEqual([200]);
  });

  it('may be a header; absurd values, and none, are counted by address, together', async () => {
    const { statuses, metrics } = await start({}, limited({ policy: { ...policy, key: 'header:X-Api-Key' } }));
    expect(await statuses(2, '/', { 'x-api-key': 'one' })).toEqual([200, 429]);
    expect(await statuses(1, '/', { 'x-api-key': 'x'.repeat(5000) })).toEqual([200]);
    expect(await statuses(1, '/', { 'x-api-key': 'y'.repeat(129) })).toEqual([429]);
    expect(await statuses(1, '/', { 'x-api-key': 'a b' })).toEqual([429]);
    expect(await statuses(1, '/', { 'x-api-key': '\u00e9' })).toEqual([429]);
    expect(await statuses(1)).toEqual([429]);
    expect(await metrics.text()).toContain('ratelimit_unknown_keys_total{part="header:X-Api-Key"} 5');
  });
});

describe('a peer that floods', () => {
  // The test itself keeps the event loop busy.
  const unhurried = { RATELIMIT_CONCURRENCY: 'false' };

  it('with a new key each time takes up no more than so much memory, and others go on', async () => {
    const policy = { quota: 100, burst: 20, ...slow, key: 'header:x-api-key' } as const;
    const { http, ask, statuses, metrics } = await start(
      { ...unhurried, RATELIMIT_KEYS_MAX: '50' },
      limited({ policy }),
    );
    const others: number[] = [];
    for (let sent = 0; sent < 2000; sent += 1) {
      await http.inject({ url: '/', headers: { 'x-api-key': `random-${sent}` } });
      if (sent % 200 === 0) others.push((await ask('/', { 'x-api-key': 'another' })).status);
    }
    expect(new Set(others)).toEqual(new Set([200]));
    const text = await metrics.text();
    expect(text).toContain('ratelimit_keys 50');
    expect(text).toMatch(/ratelimit_evictions_total 19\d\d/);
    // The others are limited as ever.
    expect((await statuses(21, '/', { 'x-api-key': 'another' })).at(-1)).toBe(429);
  });

  it('with one key is refused each time, and nobody else is', async () => {
    const { http, statuses } = await start(
      { RATELIMIT_CONCURRENCY: 'false' },
      limited({ policy: { quota: 10, ...slow } }),
    );
    const flood = await Promise.all(
      Array.from({ length: 1000 }, () => http.inject({ url: '/', headers: { 'test-user': 'eve' } })),
    );
    expect(flood.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
    expect(flood.filter(({ statusCode }) => statusCode === 429)).toHaveLength(999);
    expect(await statuses(1, '/', { 'test-user': 'ada' })).toEqual([200]);
  });
});
