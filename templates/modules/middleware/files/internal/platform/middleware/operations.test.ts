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
  service = new Service([metrics, tracing, admin, http, slice, middleware], {
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
  it('shows the chain in order', async () => {
    expect(await ask('GET')).toEqual({
      status: 200,
      body: {
        middleware: [
          { name: 'jwt', at: 'onRequest', on: true, fixed: true },
          { name: 'blocks', at: 'preParsing', on: true, fixed: true },
          { name: 'quotas', at: 'preParsing', on: true, fixed: false },
        ],
        blocks: [],
      },
    });
  });

  it('is measured from the first request on', () => {
    expect(atFirst).toContain('middleware_requests_total{middleware="jwt"} 1\n');
    expect(atFirst).toContain('middleware_requests_total{middleware="quotas"} 1\n');
    expect(atFirst).toMatch(/^middleware_seconds_total\{middleware="quotas"\} \d/m);
  });

  it('switches off for a while, and on again', async () => {
    expect(await statusOf('/a')).toBe(429);
    const off = await ask('DELETE', '/quotas?forSeconds=600');
    expect(off).toMatchObject({
      status: 200,
      body: { middleware: [{}, {}, { on: false, until: expect.any(String) }] },
    });
    expect(await statusOf('/a')).toBe(200);
    expect(await scrape()).toContain('middleware_on{middleware="quotas"} 0\n');
    expect((await ask('PUT', '/quotas')).status).toBe(200);
    expect(await statusOf('/a')).toBe(429);
    expect(await scrape()).toContain('middleware_on{middleware="quotas"} 1\n');
  });

  it('blocks a caller until it is let in again', async () => {
    await ask('DELETE', '/quotas');
    const { body } = await ask('PUT', '/blocks/flood?forSeconds=60', { peers: '127.0.0.0/8' });
    expect(body['blocks']).toMatchObject([{ name: 'flood', peers: '127.0.0.0/8', until: expect.any(String) }]);
    const refused = await server.inject('/a');
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'blocked', requestId: expect.any(String) });
    await ask('PUT', '/blocks/flood', { peers: '10.0.0.1' });
    expect(await statusOf('/a')).toBe(200);
    expect((await ask('DELETE', '/blocks/flood')).body['blocks']).toEqual([]);
  });

  it.each<[string, string, object | undefined, number, string]>([
    ['DELETE', '/jwt', undefined, 409, 'middleware_fixed'],
    ['DELETE', '/nobody', undefined, 404, 'middleware_not_found'],
    ['DELETE', '/quotas?forSeconds=x', undefined, 400, 'validation_failed'],
    ['PUT', '/Shouting', undefined, 400, 'validation_failed'],
    ['PUT', '/blocks/new', {}, 400, 'validation_failed'],
    ['PUT', '/blocks/new', { peers: 'localhost' }, 400, 'invalid_argument'],
    ['PUT', '/blocks/new', { pears: '::1' }, 400, 'validation_failed'],
    ['DELETE', '/blocks/nobody', undefined, 404, 'block_not_found'],
  ])('refuses %s %s %j with %i %s, and changes nothing', async (method, path, body, status, code) => {
    const before = await ask('GET');
    expect(await ask(method, path, body)).toMatchObject({ status, body: { status, code, detail: expect.any(String) } });
    expect(await ask('GET')).toEqual(before);
  });

  it('is as the code has it after SIGHUP', async () => {
    await ask('PUT', '/blocks/flood', { subject: 'flood' });
    await ask('DELETE', '/quotas');
    await service.reload();
    expect((await ask('GET')).body).toMatchObject({ middleware: [{}, {}, { name: 'quotas', on: true }], blocks: [] });
    expect(await statusOf('/a')).toBe(429);
  });
});
