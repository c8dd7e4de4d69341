import { once } from 'node:events';
import { createServer } from 'node:net';
import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange } from '../../../test/support/raw.ts';
import { Service } from '../app/lifecycle.ts';
import { type Running, defineModule } from '../app/module.ts';
import { readConfig } from '../config/config.ts';
import { createLogger } from '../log/logger.ts';
import { metrics } from '../metrics/module.ts';
import { admin, createAdmin, guardChanges, Operations } from './module.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Starts the admin port beside one module; `get` asks it. */
async function serviceWith(
  start: (operations: Operations) => Promise<Running<undefined>>,
  more: Readonly<Record<string, string>> = {},
) {
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const log = await createLogger('info', { write: (line) => resolve(portIn(line)) });
  const env = { ADMIN_HOST: '127.0.0.1', ADMIN_PORT: '0', HEALTH_TIMEOUT_MS: '50', ...more };
  const other = defineModule({
    name: 'other',
    config: Type.Object({}),
    requires: [admin],
    start: ({ use }) => start(use(admin)),
  });
  const service = new Service([metrics, admin, other], {
    log,
    configOf: (module) => readConfig(module.config, env),
    startTimeoutMs: 5000,
  });
  stops.push(() => service.stop(0, 1000));
  return {
    service,
    get: async (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${await port}${path}`, init),
  };
}

function portIn(line: string): number {
  const { port }: { port: number } = JSON.parse(line);
  return port;
}

async function answer(response: Promise<Response>): Promise<unknown> {
  const { status, json } = await response.then(async (reply) => ({ status: reply.status, json: await reply.json() }));
  return [status, json];
}

describe('what is no request', () => {
  it('is a problem', async () => {
    const { service, get } = await serviceWith(async () => ({ value: undefined }));
    await service.start();
    const port = Number(new URL((await get('/livez')).url).port);
    expect(await answer(get('/%zz'))).toMatchObject([400, { type: 'about:blank', status: 400 }]);
    expect(await exchange(port, 'GARBAGE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json/);
  });
});

describe('the probes', () => {
  it('answer while the service still starts: alive, but neither started nor ready', async () => {
    const { promise: wait, resolve: go } = Promise.withResolvers<void>();
    const { service, get } = await serviceWith(async () => {
      await wait;
      return { value: undefined };
    });
    const started = service.start();
    expect(await answer(get('/livez'))).toEqual([200, { status: 'ok' }]);
    expect(await answer(get('/startupz'))).toEqual([503, { status: 'starting' }]);
    expect(await answer(get('/readyz'))).toEqual([503, { status: 'starting', modules: {} }]);
    go();
    await started;
    expect(await answer(get('/startupz'))).toEqual([200, { status: 'ready' }]);
    expect(await answer(get('/readyz'))).toEqual([200, { status: 'ready', modules: {} }]);
  });

  it('are ready by the health of the modules, and alive whatever it is', async () => {
    let health: () => Promise<string | void> = async () => {};
    const { service, get } = await serviceWith(async () => ({ value: undefined, health: () => health() }));
    await service.start();
    expect(await answer(get('/readyz'))).toEqual([200, { status: 'ready', modules: { other: 'ok' } }]);

    health = () => Promise.reject(new Error('no connection'));
    expect(await answer(get('/readyz'))).toEqual([
      503,
      { status: 'unhealthy', modules: { other: { error: 'no connection' } } },
    ]);
    expect(await answer(get('/livez'))).toEqual([200, { status: 'ok' }]);

    health = async () => 'writes fail';
    expect(await answer(get('/readyz'))).toEqual([200, { status: 'ready', modules: { other: 'writes fail' } }]);

    health = () => new Promise(() => {});
    expect(await answer(get('/readyz'))).toEqual([
      503,
      { status: 'unhealthy', modules: { other: { error: 'health check took longer than 50 ms' } } },
    ]);
  });

  it('are not ready as soon as the service stops, while it still drains', async () => {
    const { promise: wait, resolve: go } = Promise.withResolvers<void>();
    const { service, get } = await serviceWith(async () => ({ value: undefined, drain: () => wait }));
    await service.start();
    const stopped = service.stop(0, 1000);
    expect(await answer(get('/readyz'))).toEqual([503, { status: 'stopping', modules: {} }]);
    expect(await answer(get('/startupz'))).toEqual([200, { status: 'stopping' }]);
    go();
    expect(await stopped).toBe(true);
  });
});

describe('/metrics', () => {
  it("is in Prometheus' text format", async () => {
    const { service, get } = await serviceWith(async () => ({ value: undefined }));
    await service.start();
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toMatch(/^build_info\{.*\} 1$/m);
  });

  it('is in the format of OpenMetrics for a scraper that names it', async () => {
    const { service, get } = await serviceWith(async () => ({ value: undefined }));
    await service.start();
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const response = await get('/metrics', { headers: { accept } });
    expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect((await response.text()).endsWith('# EOF\n')).toBe(true);
  });
});

describe('operations of a module', () => {
  it('are there once it has started, with bodies and problems; what is no path of its own is left alone', async () => {
    const { service, get } = await serviceWith(async (operations) => {
      await operations.add('jobs', (server) => {
        server.get('/jobs', () => ['one']);
        server.put('/jobs/:id', ({ body }) => ({ body }));
        server.delete('/jobs/:id', () => ({ gone: true }));
      });
      return { value: undefined };
    });
    await service.start();
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"paused":true}' };
    expect(await answer(get('/jobs?all'))).toEqual([200, ['one']]);
    expect(await answer(get('/jobs/7', put))).toEqual([200, { body: { paused: true } }]);
    const { headers } = put;
    expect(await answer(get('/jobs/7', { method: 'DELETE', headers }))).toEqual([200, { gone: true }]);
    expect(await answer(get('/jobs/7', { ...put, body: '{' }))).toMatchObject([400, { status: 400 }]);
    expect(await answer(get('/jobs/7/8'))).toMatchObject([404, { code: 'route_not_found' }]);
    expect(await answer(get('/jobsite'))).toMatchObject([404, { code: 'route_not_found' }]);
    expect(await answer(get('/livez'))).toEqual([200, { status: 'ok' }]);
  });
});

describe('/log-level', () => {
  const put = (body: unknown) => ({
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  it('tells the level, and changes it', async () => {
    const { service, get } = await serviceWith(async () => ({ value: undefined }));
    await service.start();
    expect(await answer(get('/log-level'))).toEqual([200, { level: 'info' }]);
    expect(await answer(get('/log-level', put({ level: 'warn' })))).toEqual([200, { level: 'warn' }]);
    expect(await answer(get('/log-level'))).toEqual([200, { level: 'warn' }]);
  });

  it('is the configured one again after a reload', async () => {
    const { service, get } = await serviceWith(async () => ({ value: undefined }));
    await service.start();
    await get('/log-level', put({ level: 'debug' }));
    expect(await service.reload()).toBe(true);
    expect(await answer(get('/log-level'))).toEqual([200, { level: 'info' }]);
  });

  it.each([{ level: 'loud' }, { level: 'debug', for: 60 }, {}])('refuses %j', async (body) => {
    const { service, get } = await serviceWith(async () => ({ value: undefined }));
    await service.start();
    expect(await answer(get('/log-level', put(body)))).toEqual([
      400,
      expect.objectContaining({ code: 'validation_failed' }),
    ]);
    expect(await answer(get('/log-level'))).toEqual([200, { level: 'info' }]);
  });
});

describe('a change', () => {
  const token = 'a token of sixteen letters';
  const change = { method: 'PUT', url: '/log-level', body: { level: 'debug' } } as const;
  const [local, remote] = ['127.0.0.1', '10.1.2.3'];

  /** @returns the status for a caller with that address */
  async function statusFor(
    expected: string | undefined,
    remoteAddress: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const server = createAdmin();
    guardChanges(server, expected);
    const operations = new Operations(server);
    await operations.add('log-level', (part) => {
      part.get('/log-level', () => ({}));
      part.put('/log-level', () => ({}));
    });
    const { statusCode, body } = await server.inject({ ...change, remoteAddress, headers });
    expect((await server.inject({ url: '/log-level', remoteAddress })).statusCode).toBe(200);
    expect(body).not.toContain(token);
    return statusCode;
  }

  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('from this machine is made: %s', async (address) => {
    expect(await statusFor(undefined, address)).toBe(200);
    expect(await statusFor(token, address)).toBe(200);
  });

  it.each([remote, '::ffff:10.1.2.3', 'fd00::1'])('from another one is refused: %s', async (address) => {
    expect(await statusFor(undefined, address)).toBe(403);
    expect(await statusFor(undefined, address, { authorization: 'Bearer ' })).toBe(403);
    expect(await statusFor(undefined, address, { authorization: 'Bearer undefined' })).toBe(403);
    expect(await statusFor(token, address)).toBe(403);
    expect(await statusFor(token, address, { authorization: `Bearer ${token}x` })).toBe(403);
  });

  it.each(['forwarded', 'x-forwarded-for', 'origin'])(
    'that something on this machine hands on is refused: %s',
    async (name) => {
      expect(await statusFor(undefined, local, { [name]: 'http://localhost' })).toBe(403);
    },
  );

  it.each(['Bearer', 'bearer'])('from another one with the token is made: %s', async (scheme) => {
    expect(await statusFor(token, remote, { authorization: `${scheme} ${token}` })).toBe(200);
  });
});

it('a port that is taken is told with the setting that says otherwise', async () => {
  const first = createServer().listen(0, '127.0.0.1');
  stops.push(async () => first.close());
  await once(first, 'listening');
  const address = first.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const { service } = await serviceWith(() => Promise.resolve({ value: undefined }), { ADMIN_PORT: port });
  await expect(service.start()).rejects.toThrow('set ADMIN_PORT to a port that is free');
});
