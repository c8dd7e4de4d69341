import { spawn, spawnSync } from 'node:child_process';
import os from 'node:os';
import { createClient } from '@redis/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort, openProxy } from '../../../test/support/proxy.ts';
import { type ServiceProcess, startProcess } from '../../../scripts/service.ts';
import { deleteKeys, ownPrefix, serverUrl, testService as testRedis } from '../redis/testing.ts';
import { testService } from './testing.ts';

const url = serverUrl() ?? '';
const patient = { timeout: 60_000, interval: 100 };

/** Settings by which a test has the server for itself; what it leaves there is deleted. */
async function ownKeys(): Promise<Record<string, string>> {
  const env = { REDIS_URL: url, ...ownPrefix() };
  const { redis, service } = await testRedis(env);
  onTestFinished(async () => {
    if (redis.server) await deleteKeys(redis.server);
    await service.stop(0, 5000);
  });
  return env;
}

/** A service with one route, that has a quota for all together. */
const program = (quota: number, burst: number) => `
  import { run } from './internal/platform/app/run.ts';
  import { http } from './internal/platform/http/module.ts';
  import { metrics } from './internal/platform/metrics/module.ts';
  import { tracing } from './internal/platform/app/tracing.ts';
  import { ratelimit } from './internal/platform/ratelimit/module.ts';
  import { redis } from './internal/platform/redis/module.ts';
  import { Type } from 'typebox';
  const policy = { name: 'all', quota: ${quota}, burst: ${burst}, rate: 0.001, windowSeconds: 3600, key: () => 'all' };
  const routes = {
    name: 'routes',
    config: Type.Object({}),
    requires: [http],
    start({ use }) {
      use(http).get('/', { config: { ratelimit: policy } }, () => ({}));
      return { value: undefined };
    },
  };
  await run([metrics, tracing, http, redis, ratelimit, routes]);`;

async function processes(count: number, quota: number, burst: number): Promise<ServiceProcess[]> {
  const env = { ...(await ownKeys()) };
  const started = Array.from({ length: count }, () =>
    startProcess(['--input-type=module', '--eval', program(quota, burst)], env),
  );
  onTestFinished(async () => {
    await Promise.all(started.map((each) => each.stop('SIGKILL')));
  });
  await Promise.all(started.map((each) => each.logged('ready')));
  return started;
}

/** Has each process be sent so many requests, ten at a time. */
async function flood(services: readonly ServiceProcess[], each: number): Promise<number[]> {
  const clients = services.flatMap((service) => Array.from({ length: 10 }, () => service.port('http')));
  const all = clients.map(async (port) => {
    const statuses: number[] = [];
    for (let sent = 0; sent < each / 10; sent += 1) statuses.push((await fetch(`http://127.0.0.1:${port}/`)).status);
    return statuses;
  });
  return (await Promise.all(all)).flat();
}

const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((each) => each === status).length;

describe.skipIf(!url)('limits in Redis (needs REDIS_URL)', () => {
  it('are never exceeded by several processes together, and are used up to the last', { timeout: 60_000 }, async () => {
    const services = await processes(4, 300, 1000);
    const statuses = await flood(services, 250);
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([300, 700]);
  });

  it('nor is the burst of the bucket', { timeout: 60_000 }, async () => {
    const services = await processes(3, 1000, 50);
    const statuses = await flood(services, 100);
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([50, 250]);
  });

  it('are asked for in one command a request, and each key expires by itself', async () => {
    const env = await ownKeys();
    const { redis, metrics, service } = await testRedis(env);
    onTestFinished(() => service.stop(0, 5000).then(() => undefined));
    const limited = await testService(env, (server) => {
      const policy = { name: 'one', quota: 100, windowSeconds: 10, rate: 10, burst: 50 };
      server.get('/', { config: { ratelimit: policy } }, () => ({}));
    });
    onTestFinished(() => limited.service.stop(0, 5000).then(() => undefined));
    for (let sent = 0; sent < 20; sent += 1) expect((await fetch(limited.api)).status).toBe(200);
    const text = await limited.metrics.text();
    expect(text).toMatch(/redis_command_duration_seconds_count\{command="evalsha"\} (19|20)/);
    const { server } = redis;
    if (server === undefined) throw new Error('there is a server');
    const { client, prefix } = server;
    const keys = await client.keys(`${prefix}*`);
    expect(keys).toHaveLength(1);
    expect(await client.pTTL(keys[0] ?? '')).toBeGreaterThan(10_000);
    expect(await client.pTTL(keys[0] ?? '')).toBeLessThanOrEqual(16_000);
    expect(await metrics.text()).toContain('redis_up 1');
  });

  it.each(['cut', 'stalled'] as const)(
    'are counted in memory while Redis is away (%s), which is said once, and in Redis afterwards',
    { timeout: 60_000 },
    async (state) => {
      const env = await ownKeys();
      const proxy = await openProxy(url, 6379);
      onTestFinished(proxy.close);
      const settings = {
        ...env,
        REDIS_URL: proxy.url,
        REDIS_COMMAND_TIMEOUT_MS: '300',
      };
      const { api, metrics, log, service } = await testService(settings, (server) => {
        const policy = { name: 'one', quota: 100, windowSeconds: 3600, burst: 5, rate: 0.001 };
        server.get('/', { config: { ratelimit: policy } }, () => ({}));
      });
      onTestFinished(() => service.stop(0, 5000).then(() => undefined));
      const ask = async () => (await fetch(api)).status;
      expect([await ask(), await ask()]).toEqual([200, 200]);
      proxy.set(state);
      const meanwhile: number[] = [];
      for (let sent = 0; sent < 8; sent += 1) meanwhile.push(await ask());
      // All that Redis knew is unknown here: five at once, again.
      expect(count(meanwhile, 200)).toBeGreaterThanOrEqual(5);
      expect(count(meanwhile, 200)).toBeLessThanOrEqual(6);
      expect(meanwhile.at(-1)).toBe(429);
      // Nor is anybody told of it.
      expect(count(meanwhile, 200) + count(meanwhile, 429)).toBe(8);
      expect(await metrics.text()).toMatch(/ratelimit_fallback_decisions_total [78]/);
      expect(log.text.match(/limits are not shared/g)).toHaveLength(1);
      proxy.set('open');
      // Redis has three left, or two.
      await vi.waitFor(async () => expect(await ask()).toBe(200), patient);
      expect(log.text).toContain('limits are shared by Redis again');
      expect(await service.stop(0, 5000)).toBe(true);
    },
  );

  it('go on when Redis forgets its scripts', async () => {
    const env = await ownKeys();
    const { redis, service } = await testRedis(env);
    onTestFinished(() => service.stop(0, 5000).then(() => undefined));
    const limited = await testService(env, (server) => {
      server.get('/', { config: { ratelimit: { quota: 3, burst: 3, rate: 0.001 } } }, () => ({}));
    });
    onTestFinished(() => limited.service.stop(0, 5000).then(() => undefined));
    const statuses: number[] = [];
    for (let sent = 0; sent < 4; sent += 1) {
      await redis.server?.client.scriptFlush();
      statuses.push((await fetch(limited.api)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(await limited.metrics.text()).toContain('ratelimit_fallback_decisions_total 0');
  });
});

it.skipIf(spawnSync('redis-server', ['--version']).status !== 0)(
  'a server that is a replica is away for all requests (needs redis-server)',
  { timeout: 60_000 },
  async () => {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
    const replica = spawn('redis-server', args, { cwd: os.tmpdir(), stdio: 'ignore' });
    onTestFinished(() => void replica.kill('SIGKILL'));
    const operator = createClient({ url: `redis://127.0.0.1:${port}` }).on('error', () => {});
    onTestFinished(() => operator.destroy());
    await operator.connect();
    const settings = { REDIS_URL: `redis://127.0.0.1:${port}`, REDIS_COMMAND_TIMEOUT_MS: '200' };
    const { api, log, service } = await testService(settings, (server) => {
      const policy = { quota: 100, burst: 1, rate: 0.001, windowSeconds: 3600 };
      server.get('/', { config: { ratelimit: policy } }, () => ({}));
    });
    onTestFinished(() => service.stop(0, 5000).then(() => undefined));
    const ask = async (user: string) => (await fetch(api, { headers: { 'test-user': user } })).status;
    expect([await ask('ada'), await ask('ada')]).toEqual([200, 429]);
    await operator.sendCommand(['REPLICAOF', '127.0.0.1', String(await freePort())]);
    await vi.waitFor(
      async () => expect(await service.health(1000)).toMatchObject({ redis: expect.stringContaining('replica') }),
      patient,
    );
    for (let sent = 0; sent < 5; sent += 1) expect([await ask('ada'), await ask(`${sent}`)]).toContain(200);
    expect(log.text.match(/limits are/g)).toHaveLength(1);
  },
);
