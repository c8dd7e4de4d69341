import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { createClient } from '@redis/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort, openProxy } from '../../../test/support/proxy.ts';
import { RedisUnavailableError } from './connection.ts';
import { testService } from './testing.ts';

const isThere = spawnSync('redis-server', ['--version']).status === 0;
if (!isThere && process.env['CI']) throw new Error('these tests start servers: install redis-server');

const patient = { timeout: 60_000, interval: 20 };
const masterHealth = { redis: 'ok' };
const replicaHealth = { redis: 'impaired: Redis is a replica, it refuses writes' };

/** A server that the test has started, which keeps nothing on the disk. */
class Server {
  readonly port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<Server> {
    const server = new Server(await freePort());
    onTestFinished(() => void server.#process?.kill('SIGKILL'));
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Kills it, when it runs, and starts it again. */
  async restart(): Promise<void> {
    if (this.#process?.kill('SIGKILL')) await once(this.#process, 'exit');
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--repl-diskless-sync-delay', '0'];
    this.#process = spawn('redis-server', args, { cwd: os.tmpdir(), stdio: 'ignore' });
    await vi.waitFor(() => this.run('PING'), patient);
  }

  async run(...command: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  }
}

async function serviceOf(target: Server) {
  const address = await openProxy(target.url, 6379);
  onTestFinished(address.close);
  const started = await testService({ REDIS_URL: address.url, REDIS_COMMAND_TIMEOUT_MS: '200' });
  onTestFinished(async () => void (await started.service.stop(0, 2000)));
  const { server } = started.redis;
  if (server === undefined) throw new Error('there is a server');
  const becomes = (health: unknown) =>
    vi.waitFor(async () => expect(await started.service.health(1000)).toEqual(health), patient);
  await becomes(masterHealth);
  return { ...started, server, address, becomes };
}

describe.skipIf(!isThere)('a failover of Redis (needs redis-server)', () => {
  it('is found without a command, reported, and left as soon as the address leads to a master', async () => {
    const [old, next] = [await Server.start(), await Server.start()];
    await next.run('REPLICAOF', '127.0.0.1', String(old.port));
    const { server, address, becomes, metrics, log } = await serviceOf(old);
    const reader = await server.connect();
    const heard: string[] = [];
    await reader.subscribe('news', (message) => heard.push(message));
    await server.client.set('key', 'before');
    await vi.waitFor(async () => expect(await next.run('GET', 'key')).toBe('before'), patient);

    await next.run('REPLICAOF', 'NO', 'ONE');
    await old.run('REPLICAOF', '127.0.0.1', String(next.port));
    await becomes(replicaHealth);
    expect(server.isUp).toBe(false);
    expect(await metrics.text()).toMatch(/^redis_up 0$/m);
    await expect(server.client.set('key', 'lost')).rejects.toMatchObject({ status: 503, retryAfterMs: 1000 });

    address.moveTo(next.url);
    await becomes(masterHealth);
    expect(server.isUp).toBe(true);
    await server.client.set('key', 'after');
    expect(await next.run('GET', 'key')).toBe('after');
    expect(await metrics.text()).toMatch(/^redis_up 1$/m);
    expect(log.text.match(/Redis is a replica/g)?.length).toBeLessThanOrEqual(2);

    // Connections for subscriptions move too: the old server gets no message any more.
    await old.run('REPLICAOF', '127.0.0.1', String(await freePort()));
    await vi.waitFor(async () => {
      await next.run('PUBLISH', 'news', 'moved');
      expect(heard).toContain('moved');
    }, patient);
  });

  it('refuses commands as unavailable, also those of a script', async () => {
    const [old, next] = [await Server.start(), await Server.start()];
    const { server, address, becomes } = await serviceOf(old);
    await old.run('REPLICAOF', '127.0.0.1', String(next.port));
    const script = "return redis.call('set', KEYS[1], '1')";
    await expect(server.client.eval(script, { keys: ['key'] })).rejects.toThrow(RedisUnavailableError);
    address.moveTo(next.url);
    await vi.waitFor(async () => expect(await server.client.eval(script, { keys: ['key'] })).toBe('OK'), patient);
    await becomes(masterHealth);
  });

  it('may leave a replica that answers nothing until it has a master, or a server that is busy: both are unavailable', async () => {
    const [server, away] = [await Server.start(), await freePort()];
    const service = await serviceOf(server);
    await server.run('CONFIG', 'SET', 'busy-reply-threshold', '10');
    let end = '';
    void server.run('EVAL', 'while true do end', '0').catch((error: unknown) => (end = String(error)));
    await vi.waitFor(
      () => expect(service.server.client.get('key')).rejects.toMatchObject({ cause: { message: /^BUSY / } }),
      patient,
    );
    await vi.waitFor(async () => {
      // On a busy machine another script can take longer than the threshold, before this one begins.
      await server.run('SCRIPT', 'KILL').catch(() => undefined);
      expect(end).toContain('killed');
    }, patient);
    await server.run('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    await server.run('REPLICAOF', '127.0.0.1', String(away));
    await vi.waitFor(() => expect(service.server.client.get('key')).rejects.toThrow(RedisUnavailableError), patient);
    await service.becomes(replicaHealth);
  });

  it('is not needed when the server is killed and starts again', async () => {
    const server = await Server.start();
    const { server: used, becomes } = await serviceOf(server);
    await server.restart();
    await becomes(masterHealth);
    await vi.waitFor(() => expect(used.client.set('key', '1')).resolves.toBe('OK'), patient);
  });
});
