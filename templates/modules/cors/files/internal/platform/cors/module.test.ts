import { afterEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { Type } from 'typebox';
import { Service } from '../app/lifecycle.ts';
import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { checkConfig, readConfig } from '../config/config.ts';
import { testSettings } from '../http/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { cors } from './module.ts';

const origin = 'https://shop.example.com';
const preflight = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-a' };

let service: Service | undefined;
afterEach(() => service?.stop(0, 1000));

async function testServer(env: Readonly<Record<string, string>>): Promise<Http> {
  const { promise: server, resolve } = Promise.withResolvers<Http>();
  const routes = defineModule({
    name: 'routes',
    config: Type.Object({}),
    requires: [http],
    start({ use }) {
      use(http).get('/things', (_request, reply) => reply.header('x-late', '1').send({}));
      return { value: undefined, serve: () => resolve(use(http)) };
    },
  });
  service = new Service([metrics, tracing, http, cors, routes], {
    log: pino({ level: 'silent' }),
    configOf: (module) => readConfig(module.config, { ...testSettings, ...env }),
    startTimeoutMs: 5000,
  });
  await service.start();
  return server;
}

function corsHeaders(headers: object): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

describe('CORS', () => {
  it('is off unless origins are set', async () => {
    const server = await testServer({});
    const { headers } = await server.inject({ url: '/things', headers: { origin } });
    expect(corsHeaders(headers)).toEqual([]);
    const asked = await server.inject({ method: 'OPTIONS', url: '/things', headers: preflight });
    expect(corsHeaders(asked.headers)).toEqual([]);
  });

  it('lets in the origins that are set, and no others', async () => {
    const server = await testServer({ CORS_ORIGINS: `https://a.example.com, ${origin}` });
    const ours = await server.inject({ url: '/things', headers: { origin } });
    expect(ours.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    expect(ours.headers).not.toHaveProperty('access-control-allow-credentials');
    const theirs = await server.inject({ url: '/things', headers: { origin: `${origin}.evil.com` } });
    expect(theirs.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('answers preflights', async () => {
    const server = await testServer({ CORS_ORIGINS: origin, CORS_CREDENTIALS: 'true' });
    const { statusCode, headers } = await server.inject({ method: 'OPTIONS', url: '/things', headers: preflight });
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'x-a',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    });
  });

  it.each(['*', origin])(
    'leaves OPTIONS that is no preflight, and unknown paths, as they are (%s)',
    async (origins) => {
      const server = await testServer({ CORS_ORIGINS: origins });
      const options = (url: string, headers: Readonly<Record<string, string>>) =>
        server.inject({ method: 'OPTIONS', url, headers });
      for (const headers of [{}, { origin }, { 'access-control-request-method': 'GET' }]) {
        const allowed = await options('/things?x=1', headers);
        expect([allowed.statusCode, allowed.headers['allow']]).toEqual([204, 'GET, HEAD, OPTIONS']);
        expect(allowed.headers).not.toHaveProperty('access-control-allow-methods');
      }
      for (const url of ['/none', '/things/1']) {
        const missing = await options(url, preflight);
        expect(missing.statusCode).toBeGreaterThanOrEqual(400);
        expect(missing.headers['access-control-allow-origin']).toBe(origins);
        expect(missing.json()).toMatchObject({ status: missing.statusCode });
      }
    },
  );

  it('lets problems be read too', async () => {
    const server = await testServer({ CORS_ORIGINS: origin });
    const missing = await server.inject({ url: '/none', headers: { origin } });
    expect(missing.statusCode).toBe(404);
    expect(missing.headers['access-control-allow-origin']).toBe(origin);
  });

  it('exposes the headers of the reply', async () => {
    const server = await testServer({ CORS_ORIGINS: origin });
    const { headers } = await server.inject({ url: '/things', headers: { origin } });
    expect(headers['access-control-expose-headers']).toMatch(/x-request-id, .*x-late, .*etag/);
  });

  it('leaves 404 and 405 as they are', async () => {
    const server = await testServer({ CORS_ORIGINS: '*' });
    expect((await server.inject({ method: 'POST', url: '/none' })).statusCode).toBe(404);
    expect((await server.inject({ method: 'POST', url: '/things' })).headers['allow']).toBe('GET, HEAD, OPTIONS');
  });

  it.each(['example.com', 'https://a.example.com/path', 'null', 'https://a,b'])(
    'refuses the origin %s',
    async (value) => {
      await expect(testServer({ CORS_ORIGINS: value })).rejects.toThrow('CORS_ORIGINS');
    },
  );

  it.each([{ CORS_CREDENTIALS: 'true' }, { CORS_CREDENTIALS: 'true', CORS_ORIGINS: '*' }])(
    'with cookies needs origins by name: %j',
    (env) => {
      const check = (given: Readonly<Record<string, string>>) => () => checkConfig([config], given, cors.rules);
      expect(check(env)).toThrow('CORS_ORIGINS: expected origins by name, because CORS_CREDENTIALS is true');
      expect(check({ ...env, CORS_ORIGINS: origin })).not.toThrow();
    },
  );
});
