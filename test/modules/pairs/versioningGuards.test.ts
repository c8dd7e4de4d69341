import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import type { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import { defineModule } from '../../../templates/base/files/internal/platform/app/module.ts';
import { http } from '../../../templates/base/files/internal/platform/http/module.ts';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { identity } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { metrics } from '../../../templates/base/files/internal/platform/metrics/module.ts';
import { tracing } from '../../../templates/base/files/internal/platform/app/tracing.ts';
import { auth } from '../../../templates/modules/auth/files/internal/platform/auth/module.ts';
import { sign, type TestKey, testKey } from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';
import { ratelimit } from '../../../templates/modules/ratelimit/files/internal/platform/ratelimit/module.ts';
import { redis } from '../../../templates/modules/redis/files/internal/platform/redis/module.ts';
import { defineVersions } from '../../../templates/modules/versioning/files/internal/platform/versioning/apiVersions.ts';
import { versioningOf } from '../../../templates/modules/versioning/files/internal/platform/versioning/module.ts';
import { startWithAuth } from './withAuth.ts';

const versioning = versioningOf(defineVersions({ default: 1, versions: { 1: {}, 2: {} } }), []);

describe('module versioning beside auth and ratelimit, none of which knows another', () => {
  let key: TestKey;
  let service: Service;
  let server: Http;

  beforeAll(async () => {
    key = await testKey('key');
    const slice = defineModule({
      name: 'slice',
      config: Type.Object({}),
      requires: [http, versioning],
      start({ use }) {
        server = use(http);
        const policy = { name: 'things', quota: 3, windowSeconds: 60, burst: 3 };
        use(versioning).each({ 1: 'one', 2: 'two' }, ({ route }, word) => {
          route({
            method: 'GET',
            url: '/things',
            config: { auth: { scopes: ['things:read'] }, ratelimit: policy },
            handler: () => ({ word }),
          });
          const ofEach = { quota: 1, windowSeconds: 60 };
          route({
            method: 'GET',
            url: '/prices',
            config: { ratelimit: ofEach },
            handler: () => ({ word }),
          });
        });
        return { value: undefined };
      },
    });
    service = await startWithAuth(key, [metrics, tracing, http, identity, auth, redis, ratelimit, versioning, slice]);
  });
  afterAll(() => service.stop(0, 5000));

  it('asks for the scopes of a route in each of its versions, and before it tells which there are', async () => {
    const headers = { authorization: `Bearer ${await sign(key)}` };
    for (const url of ['/things', '/v1/things', '/v2/things', '/v9/things']) {
      expect((await server.inject(url)).statusCode).toBe(401);
      expect((await server.inject({ url, headers })).statusCode).toBe(403);
    }
  });

  it('has each version count by itself where the quota has no name', async () => {
    const headers = { authorization: `Bearer ${await sign(key)}` };
    const statuses: number[] = [];
    for (const url of ['/v1/prices', '/v1/prices', '/v2/prices', '/v2/prices'])
      statuses.push((await server.inject({ url, headers })).statusCode);
    expect(statuses).toEqual([200, 429, 200, 429]);
  });

  it('has versions share a quota that has a name', async () => {
    const token = await sign(key, { scope: 'things:read' });
    const headers = { authorization: `Bearer ${token}` };
    const statuses: number[] = [];
    for (const url of ['/things', '/v1/things', '/v2/things', '/v2/things'])
      statuses.push((await server.inject({ url, headers })).statusCode);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await server.inject({ url: '/v9/things', headers })).json()).toMatchObject({ code: 'version_unknown' });
  });
});
