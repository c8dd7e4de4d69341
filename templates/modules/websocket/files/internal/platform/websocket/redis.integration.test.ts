import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../test/support/proxy.ts';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { root } from '../../../scripts/service.ts';
import { about } from '../app/about.ts';
import { channelOf } from './hub.ts';
import { redisRelay } from './relay.ts';
import { serverUrl } from '../redis/testing.ts';
import { news, numberOf, rawClient, testService } from './testing.ts';

const url = serverUrl();
const patient = { timeout: 60_000, interval: 50 };
const stream = `${about.name}:websocket`;

describe.skipIf(!url)('on Redis (needs REDIS_URL)', () => {
  const admin = createClient(url === undefined ? {} : { url });
  beforeAll(() => admin.connect());
  beforeEach(() => admin.del(stream));
  afterAll(async () => {
    await admin.del(stream);
    admin.destroy();
  });
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('what one instance publishes, clients of another get', async () => {
    const [one, two] = [await testService({ REDIS_URL: url ?? '' }), await testService({ REDIS_URL: url ?? '' })];
    const client = new Client({ url: `${two.ws}/ws` });
    const numbers: unknown[] = [];
    client.subscribe('news', ({ payload }) => void numbers.push(numberOf(payload)));
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), patient);
    for (const number of [1, 2, 3]) await one.sockets.publish('news', news, { number });
    await vi.waitFor(() => expect(numbers).toEqual([1, 2, 3]), patient);
    client.close();
    expect(await Promise.all([one.service.stop(0, 5000), two.service.stop(0, 5000)])).toEqual([true, true]);
  });

  it('a client goes on at another instance from where it was', async () => {
    const one = await testService({ REDIS_URL: url ?? '' });
    const first = await rawClient(`${one.ws}/ws`);
    const { payload } = await first.ask({ type: 'topic.subscribe', payload: { topics: ['news'] } });
    first.socket.terminate();
    for (const number of [1, 2]) await one.sockets.publish('news', news, { number });
    await one.service.stop(0, 5000);
    const two = await testService({ REDIS_URL: url ?? '' });
    const second = await rawClient(`${two.ws}/ws`);
    const after: unknown = Object(payload).offset;
    const opened = await second.ask({ type: 'topic.subscribe', payload: { topics: ['news'], after } });
    expect(opened.payload).toMatchObject({ lost: false });
    const numbers = second.received.flatMap(({ type, payload: got }) => (type === 'news' ? [numberOf(got)] : []));
    expect(numbers).toEqual([1, 2]);
    second.socket.terminate();
    await two.service.stop(0, 5000);
  });

  it('what cannot be published fails at once, and what was published meanwhile comes when Redis is back', async () => {
    const proxy = await openProxy(new URL(url ?? ''));
    const service = await testService({ REDIS_URL: proxy.url });
    const client = new Client({ url: `${service.ws}/ws` });
    const numbers: unknown[] = [];
    client.subscribe('news', ({ payload }) => void numbers.push(numberOf(payload)));
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), patient);
    await service.sockets.publish('news', news, { number: 1 });
    await vi.waitFor(() => expect(numbers).toEqual([1]), patient);
    proxy.cut();
    await vi.waitFor(async () => {
      await expect(service.sockets.publish('news', news, { number: 0 })).rejects.toMatchObject({
        code: 'relay_unavailable',
      });
    }, patient);
    await vi.waitFor(async () => expect(await service.metrics.text()).toContain('websocket_relay_up 0'), patient);
    const [last] = (await admin.xRevRange(stream, '+', '-', { COUNT: 1 })) ?? [];
    await admin.xAdd(stream, '*', {
      channel: channelOf('topic', 'news'),
      text: (last?.message['text'] ?? '').replace('"number":1', '"number":2'),
    });
    proxy.open();
    await vi.waitFor(() => expect(numbers).toEqual([1, 2]), patient);
    await vi.waitFor(async () => expect(await service.metrics.text()).toContain('websocket_relay_up 1'), patient);
    client.close();
    await service.service.stop(0, 5000);
    proxy.close();
  });

  it('an instance that was cut off for too long says that messages are missing', async () => {
    const proxy = await openProxy(new URL(url ?? ''));
    const reader = createClient({ url: proxy.url, disableOfflineQueue: true }).on('error', () => {});
    await reader.connect();
    const server = { client: reader, isUp: true, prefix: `${about.name}:`, connect: async () => reader };
    const seen: string[] = [];
    const begun: string[] = [];
    const follower = {
      deliver: (_channel: string, offset: string) => void seen.push(offset),
      begin: (origin: string) => void begun.push(origin),
    };
    const relay = await redisRelay(follower, server, pino({ level: 'silent' }));
    await admin.xAdd(stream, '*', { channel: channelOf('topic', 'news'), text: '{}' });
    await vi.waitFor(() => expect(seen).toHaveLength(1), patient);
    proxy.cut();
    for (let count = 0; count < 5; count += 1)
      await admin.xAdd(stream, '*', { channel: channelOf('topic', 'news'), text: '{}' });
    await admin.xTrim(stream, 'MAXLEN', 2);
    proxy.open();
    // The first of the two that are left is where this instance begins anew.
    await vi.waitFor(() => expect(seen).toHaveLength(2), patient);
    expect(begun).toHaveLength(2);
    await relay.stop();
    proxy.close();
  });

  it('clients of an instance that was cut off for too long are told, also where nothing comes after', async () => {
    const proxy = await openProxy(new URL(url ?? ''));
    const service = await testService({ REDIS_URL: proxy.url });
    let losses = 0;
    const client = new Client({ url: `${service.ws}/ws`, onLost: () => (losses += 1) });
    client.subscribe('news', () => {});
    client.connect();
    await vi.waitFor(() => expect(client.state).toBe('open'), patient);
    proxy.cut();
    await admin.xAdd(stream, '*', { channel: channelOf('topic', 'news'), text: '{}' });
    await admin.xAdd(stream, '*', { channel: channelOf('topic', 'other'), text: '{}' });
    await admin.xTrim(stream, 'MAXLEN', 1);
    proxy.open();
    await vi.waitFor(() => expect(losses).toBe(1), patient);
    client.close();
    await service.service.stop(0, 5000);
    proxy.close();
  });

  describe.each(['SIGKILL', 'SIGTERM'] as const)('a server that is restarted by %s', (signal) => {
    it('loses nothing: what clients sent is handled, and what was published reaches them', async () => {
      const port = await freePort();
      let server = await start(port);
      let losses = 0;
      const numbers: number[] = [];
      const client = new Client({
        url: `ws://127.0.0.1:${port}/ws`,
        backoff: { baseMs: 50, maxMs: 200 },
        onLost: () => (losses += 1),
      });
      client.subscribe('news', ({ payload }) => void numbers.push(numberOf(payload)));
      client.connect();
      await vi.waitFor(() => expect(client.state).toBe('open'), patient);
      // Each note is published by its handler: it comes back to its sender, by way of Redis.
      const sent: Promise<unknown>[] = [];
      const all = 300;
      for (let number = 0; number < all; number += 1) {
        sent.push(client.request({ type: 'note', version: '1.0', payload: { text: String(number) } }));
        if (number === 100) {
          await vi.waitUntil(() => numbers.length > 10, patient);
          server.kill(signal);
          await once(server, 'exit');
          server = await start(port);
        }
      }
      await Promise.all(sent);
      // At least once: what was handled and not acknowledged when the server died is handled again.
      await vi.waitFor(() => expect(new Set(numbers).size).toBe(all), patient);
      expect(losses).toBe(0);
      client.close();
    });
  });

  /** The module and its messages in a process of its own. */
  async function start(port: number): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', instance], {
      cwd: root,
      env: {
        ...process.env,
        LOG_LEVEL: 'info',
        HOST: '127.0.0.1',
        PORT: String(port),
        ADMIN_PORT: '0',
        REDIS_URL: url,
        WEBSOCKET_MESSAGES_PER_SECOND: '100000',
        WEBSOCKET_DRAIN_MS: '0',
        SHUTDOWN_DELAY_MS: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface(child.stdout);
    for await (const line of lines) if (line.includes('"msg":"ready"')) break;
    child.stdout.resume();
    return child;
  }
});

const instance = `
  import { Type } from 'typebox';
  import { run } from './internal/platform/app/run.ts';
  import { http } from './internal/platform/http/module.ts';
  import { identity } from './internal/platform/identity/module.ts';
  import { metrics } from './internal/platform/metrics/module.ts';
  import { redis } from './internal/platform/redis/module.ts';
  import { tracing } from './internal/platform/app/tracing.ts';
  import { websocket } from './internal/platform/websocket/module.ts';
  import { news, note } from './internal/platform/websocket/testing.ts';
  const slice = {
    name: 'slice',
    config: Type.Object({}),
    requires: [websocket],
    start({ use }) {
      const sockets = use(websocket);
      sockets.topic({ name: 'news' });
      sockets.on(note, ({ text }) => sockets.publish('news', news, { number: Number(text) }));
      return { value: undefined };
    },
  };
  await run([metrics, tracing, http, redis, identity, websocket, slice]);`;

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Stands before Redis, and can be cut. */
async function openProxy(target: URL): Promise<{ url: string; cut: () => void; open: () => void; close: () => void }> {
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    if (isCut) {
      socket.destroy();
      return;
    }
    const upstream = connect(Number(target.port || 6379), target.hostname);
    for (const each of [socket, upstream]) {
      open.add(each);
      each.on('error', () => {});
      each.on('close', () => {
        open.delete(each);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.pipe(upstream).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(target);
  through.hostname = '127.0.0.1';
  through.port = String(portOf(server));
  return {
    url: through.href,
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    open() {
      isCut = false;
    },
    close: () => server.close(),
  };
}
