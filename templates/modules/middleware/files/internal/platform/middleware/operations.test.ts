import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import { resourceExhausted } from '../../../pkg/errors/index.ts';
import { testSettings } from '../http/config.ts';
import { Service } from '../app/lifecycle.ts';
import { admin } from '../admin/module.ts';
import { defineModule } from '../app/module.ts';
import { readConfig } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { metrics } from '../metrics/module.ts';
import { tracing } from '../app/tracing.ts';
import { middleware } from './module.ts';

let service: Service;
let server: Http;
let scrape: () => Promise<string>;
let operations = '';
let atFirst = '';

beforeAll(async () => {
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [http, metrics],
    start({ use }) {
      server = use(http);
      scrape = use(metrics).text;
      server.get('/a', () => ({}));
      server.get('/b', () => ({}));
      // As the module versioning has them, one for each version.
      server.get('/c', { constraints: { host: 'c.example.com' } }, () => ({}));
      server.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: (_request, _reply, next) => next() });
      server.chain.add({
        name: 'quotas',
        at: 'preParsing',
        handle: (_request, _reply, next) => next(resourceExhausted('Enough.')),
      });
      return { value: undefined };
    },
  });
  const settings = { ...testSettings, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: '0' };
  service = new Service([metrics, tracing, admin, http, middleware, slice], {
    log: pino({ level: 'silent' }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 10_000,
  });
  await service.start();
  await statusOf('/a');
  atFirst = await scrape();
  operations = new URL('/middleware', service.links()['health']).href;
});
beforeEach(() => service.reload());
afterAll(() => service.stop(0, 5000));

async function ask(method: string, path = '', body?: object) {
  const sent = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const reply = await fetch(operations + path, { method, ...sent });
  const answer: Record<string, unknown> = Object.fromEntries(Object.entries(Object(await reply.json())));
  return { status: reply.status, body: answer };
}

const statusOf = async (url: string): Promise<number> => (await server.inject(url)).statusCode;

describe('/middleware', () => {
  it('shows the chain in order, and what can be added', async () => {
    expect(await ask('GET')).toMatchObject({
      status: 200,
      body: {
        middleware: [
          { name: 'jwt', at: 'onRequest', on: true, fixed: true, added: false },
          { name: 'quotas', at: 'preParsing', on: true, fixed: false, added: false },
        ],
        kinds: { block: { summary: expect.any(String), settings: expect.any(Object) } },
      },
    });
  });

  it('is timed from the first request on', () => {
    expect(atFirst).toContain('middleware_requests_total{middleware="jwt",outcome="passed"} 1\n');
    expect(atFirst).toContain('middleware_requests_total{middleware="quotas",outcome="answered"} 1\n');
  });

  it('switches off, and on again for one route, or for a while', async () => {
    expect(await statusOf('/a')).toBe(429);
    const off = await ask('DELETE', '/quotas?forSeconds=600');
    expect(off).toMatchObject({ status: 200, body: { middleware: [{}, { on: false, until: expect.any(String) }] } });
    expect(await statusOf('/a')).toBe(200);
    await ask('PUT', '/quotas', { routes: ['GET /b'] });
    expect([await statusOf('/a'), await statusOf('/b')]).toEqual([200, 429]);
    await ask('PUT', '/quotas', {});
    expect(await statusOf('/a')).toBe(429);
  });

  it('knows routes that are found by more than their path', async () => {
    expect((await ask('PUT', '/quotas', { routes: ['GET /c'] })).status).toBe(200);
    expect((await ask('PUT', '/quotas', { routes: ['POST /c'] })).status).toBe(400);
  });

  it('blocks a caller before it is counted, until it is let in again', async () => {
    await ask('DELETE', '/quotas');
    const block = {
      kind: 'block',
      settings: { peers: '127.0.0.0/8' },
      before: 'jwt',
      routes: ['GET /a'],
      forSeconds: 60,
    };
    const { body } = await ask('PUT', '/block-flood', block);
    expect(body['middleware']).toMatchObject([
      {
        name: 'block-flood',
        at: 'onRequest',
        added: true,
        kind: 'block',
        settings: block.settings,
        routes: block.routes,
      },
      { name: 'jwt' },
      { name: 'quotas', on: false },
    ]);
    const refused = await server.inject('/a');
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'blocked', requestId: expect.any(String) });
    expect(await statusOf('/b')).toBe(200);
    await ask('PUT', '/block-flood', { kind: 'block', settings: { peers: '10.0.0.1' } });
    expect(await statusOf('/a')).toBe(200);
    await ask('DELETE', '/block-flood');
    expect((await ask('GET')).body['middleware']).toHaveLength(2);
  });

  it.each<[string, string, object | undefined, number, string]>([
    ['DELETE', '/jwt', undefined, 409, 'middleware_fixed'],
    ['PUT', '/jwt', { kind: 'block', settings: { peers: '::1' } }, 409, 'conflict'],
    ['DELETE', '/nobody', undefined, 404, 'middleware_not_found'],
    ['DELETE', '/quotas?forSeconds=x', undefined, 400, 'validation_failed'],
    ['PUT', '/Shouting', {}, 400, 'validation_failed'],
    ['PUT', '/quotas', { until: 'tomorrow' }, 400, 'validation_failed'],
    ['PUT', '/quotas', { routes: ['GET /none'] }, 400, 'invalid_argument'],
    ['PUT', '/quotas', { routes: ['NONE /a'] }, 400, 'invalid_argument'],
    ['PUT', '/quotas', { before: 'jwt' }, 400, 'invalid_argument'],
    ['PUT', '/new', { kind: 'none' }, 404, 'kind_not_found'],
    ['PUT', '/new', { kind: 'block' }, 400, 'invalid_argument'],
    ['PUT', '/new', { kind: 'block', settings: { peers: 'localhost' } }, 400, 'invalid_argument'],
    ['PUT', '/new', { kind: 'block', settings: { pears: '::1' } }, 400, 'invalid_argument'],
    ['PUT', '/new', { kind: 'block', settings: { peers: '::1' }, after: 'nobody' }, 404, 'middleware_not_found'],
  ])('refuses %s %s %j with %i %s, and changes nothing', async (method, path, body, status, code) => {
    const before = await ask('GET');
    expect(await ask(method, path, body)).toMatchObject({ status, body: { status, code, detail: expect.any(String) } });
    expect(await ask('GET')).toEqual(before);
  });

  it('tells of each in the metrics, and no more of what is gone', async () => {
    await ask('PUT', '/block-flood', { kind: 'block', settings: { peers: '127.0.0.1' }, before: 'jwt' });
    await statusOf('/a');
    await ask('DELETE', '/quotas');
    const text = await scrape();
    expect(text).toContain('middleware_requests_total{middleware="block-flood",outcome="answered"} 1\n');
    expect(text).toMatch(/^middleware_seconds_total\{middleware="block-flood"\} \d.*[1-9]/m);
    expect(text).toContain('middleware_in_progress_requests{middleware="jwt"} 0\n');
    expect(text).toContain('middleware_on{middleware="quotas"} 0\n');
    expect(text).toContain('middleware_on{middleware="jwt"} 1\n');
    expect(text).not.toContain('middleware_on{middleware="block-flood"}');
    await ask('DELETE', '/block-flood');
    expect(await scrape()).not.toContain('block-flood');
  });

  it('is as the code has it after SIGHUP', async () => {
    await ask('PUT', '/block-flood', { kind: 'block', settings: { subject: 'flood' } });
    await ask('DELETE', '/quotas');
    await service.reload();
    const { body } = await ask('GET');
    expect(body['middleware']).toMatchObject([{ name: 'jwt' }, { name: 'quotas', on: true }]);
    expect(await statusOf('/a')).toBe(429);
  });
});
