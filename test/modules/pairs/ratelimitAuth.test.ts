import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { admin } from '../../../templates/base/files/internal/platform/admin/module.ts';
import type { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import { defineModule } from '../../../templates/base/files/internal/platform/app/module.ts';
import { http } from '../../../templates/base/files/internal/platform/http/module.ts';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { identity } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { metrics } from '../../../templates/base/files/internal/platform/metrics/module.ts';
import { tracing } from '../../../templates/base/files/internal/platform/app/tracing.ts';
import { auth } from '../../../templates/modules/auth/files/internal/platform/auth/module.ts';
import { sign, type TestKey, testKey } from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';
import { middleware } from '../../../templates/modules/middleware/files/internal/platform/middleware/module.ts';
import { ratelimit } from '../../../templates/modules/ratelimit/files/internal/platform/ratelimit/module.ts';
import { redis } from '../../../templates/modules/redis/files/internal/platform/redis/module.ts';
import { startWithAuth } from './withAuth.ts';

/** In each order in which the two may start. */
describe.each([
  ['auth, ratelimit', [auth, ratelimit]],
  ['ratelimit, auth', [ratelimit, auth]],
])('modules %s, which do not know each other, and middleware, which shows both', (_, modules) => {
  let key: TestKey;
  let service: Service;
  let server: Http;
  let operations: string;
  let scrape: () => Promise<string>;

  beforeAll(async () => {
    key = await testKey('key');
    const slice = defineModule({
      name: 'slice',
      config: Type.Object({}),
      requires: [http, metrics],
      start({ use }) {
        server = use(http);
        scrape = use(metrics).text;
        const policy = (name: string) => ({ name, quota: 2, burst: 2, rate: 0.001, windowSeconds: 3600 });
        server.get('/limited', { config: { ratelimit: policy('limited') } }, () => ({}));
        server.get('/lifted', { config: { ratelimit: policy('lifted') } }, () => ({}));
        const tenant = ({ principal }: FastifyRequest) => String(principal?.claims['tenant_id']);
        server.get('/tenants', { config: { ratelimit: { ...policy('tenants'), key: tenant } } }, () => ({}));
        return { value: undefined };
      },
    });
    service = await startWithAuth(
      key,
      [metrics, tracing, admin, http, identity, ...modules, middleware, redis, slice],
      { ADMIN_HOST: '127.0.0.1', ADMIN_PORT: '0' },
    );
    operations = new URL('/middleware', service.links()['health']).href;
  });
  afterAll(() => service.stop(0, 5000));

  const ask = async (path: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await server.inject({ url: path, headers })).statusCode;
  };
  const asked = async (times: number, path: string, token?: string): Promise<number[]> => {
    const statuses: number[] = [];
    for (let sent = 0; sent < times; sent += 1) statuses.push(await ask(path, token));
    return statuses;
  };

  it('count each user by the subject of a token that was verified, whichever token it is', async () => {
    const [one, again, other] = await Promise.all([
      sign(key, { sub: 'one' }),
      sign(key, { sub: 'one', scope: 'more' }),
      sign(key, { sub: 'other' }),
    ]);
    expect(await asked(3, '/limited', one)).toEqual([200, 200, 429]);
    expect(await ask('/limited', again)).toBe(429);
    expect(await asked(3, '/limited', other)).toEqual([200, 200, 429]);
  });

  it('count each tenant by its claim', async () => {
    const [one, two, other] = await Promise.all([
      sign(key, { sub: 'one', tenant_id: 'acme' }),
      sign(key, { sub: 'two', tenant_id: 'acme' }),
      sign(key, { sub: 'one', tenant_id: 'other' }),
    ]);
    expect([await ask('/tenants', one), await ask('/tenants', two), await ask('/tenants', one)]).toEqual([
      200, 200, 429,
    ]);
    expect(await ask('/tenants', other)).toBe(200);
  });

  it('count nobody whom the guard turns away, so that a forged token uses up no quota of its subject', async () => {
    const forged = await sign(await testKey('key'), { sub: 'victim' });
    expect(await asked(4, '/limited', forged)).toEqual([401, 401, 401, 401]);
    expect(await asked(2, '/limited')).toEqual([401, 401]);
    expect(await asked(2, '/limited', await sign(key, { sub: 'victim' }))).toEqual([200, 200]);
  });

  it('stand in the chain: the guard first and for good, the quotas behind it and to be lifted', async () => {
    const token = await sign(key, { sub: 'lifted' });
    const { middleware: chain } = Object(await (await fetch(operations)).json());
    const names = chain.map(({ name }: { name: string }) => name);
    expect(names.toSorted()).toEqual(['blocks', 'jwt', 'quotas']);
    expect(names[0]).toBe('jwt');
    expect((await fetch(`${operations}/jwt`, { method: 'DELETE' })).status).toBe(409);
    expect(await asked(3, '/lifted', token)).toEqual([200, 200, 429]);
    expect((await fetch(`${operations}/quotas`, { method: 'DELETE' })).status).toBe(200);
    expect(await asked(3, '/lifted', token)).toEqual([200, 200, 200]);
    expect(await ask('/lifted')).toBe(401);
    await service.reload();
    expect(await ask('/lifted', token)).toBe(429);
    const text = await scrape();
    expect(text).toMatch(/^middleware_requests_total\{middleware="jwt"\} [1-9]/m);
    expect(text).toMatch(/^middleware_requests_total\{middleware="quotas"\} [1-9]/m);
  });

  it('block one user on the admin port', async () => {
    const flood = await sign(key, { sub: 'flood' });
    const put = (body: object) =>
      fetch(`${operations}/blocks/flood`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await put({ subject: 'flood' })).status).toBe(200);
    expect(await ask('/limited', flood)).toBe(403);
    expect(await ask('/limited', await sign(key, { sub: 'fine' }))).toBe(200);
    expect((await fetch(`${operations}/blocks/flood`, { method: 'DELETE' })).status).toBe(200);
    expect(await ask('/limited', flood)).toBe(200);
  });
});
