import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import { connectTo } from '../../../../test/support/raw.ts';
import { current } from '../../../../pkg/context/index.ts';
import { createLogger } from '../../log/logger.ts';
import { RequestDurations } from '../../metrics/module.ts';
import { drain } from '../connections.ts';
import type { Http } from '../server.ts';

/** Generous: the machine may be busy. */
const polling = { timeout: 60_000 };

let http: Http;
let port: number;
let durations: RequestDurations;
let lines: string[];
/** How many handlers have begun, and how many have ended. */
let begun: number;
let ended: number;

beforeEach(async () => {
  lines = [];
  begun = 0;
  ended = 0;
  durations = new RequestDurations();
  const log = await createLogger('info', { write: (line) => void lines.push(line) });
  http = await testHttp({}, { log, durations });
  http.addHook('preHandler', async () => {
    begun += 1;
  });
  http.get('/', () => ({}));
  http.get('/heeding', async () => {
    const { signal } = current();
    await sleep(60_000, undefined, { signal }).finally(() => {
      ended += 1;
    });
  });
  // Goes on after the signal.
  http.get('/deaf', async () => {
    const { signal } = current();
    while (!signal.aborted) await sleep(10);
    await sleep(300);
    ended += 1;
    return { late: true };
  });
  http.get('/stream', (_request, reply) => {
    const stream = new Readable({ read() {} });
    stream.push('begun');
    stream.once('close', () => {
      ended += 1;
    });
    return reply.send(stream);
  });
  http.get('/failing-stream', (_request, reply) => {
    const stream = new Readable({ read() {} });
    stream.push('begun');
    setTimeout(() => stream.destroy(new Error('the disk is gone')), 50);
    return reply.send(stream);
  });
  http.get('/raw', (_request, reply) => {
    reply.raw.write('begun');
  });
  http.get('/taken', (request, reply) => {
    reply.hijack();
    request.raw.socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
  port = await listenLocally(http);
});
afterEach(() => {
  http.server.closeAllConnections();
  return http.close();
});

/** Sends requests at once on one connection. */
function ask(client: Socket, ...paths: string[]): void {
  client.resume().on('error', () => undefined);
  client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''));
}

/** The same on a new connection; waits until that many handlers have begun in all. */
async function send(handlers: number, ...paths: string[]): Promise<Socket> {
  const client = await connectTo(port);
  ask(client, ...paths);
  await expect.poll(() => begun, polling).toBe(handlers);
  return client;
}

/** Waits for that many lines, and a while longer for one too many. */
async function logged(count: number): Promise<unknown[]> {
  await expect.poll(() => lines.length, polling).toBeGreaterThanOrEqual(count);
  await sleep(200);
  return lines.map((line): unknown => JSON.parse(line));
}

/** What was counted: route and status of each series, and how often. */
function counted(): string[] {
  const counts = durations.text().matchAll(/_count\{.*route="(.*)",status="(\d+)"\} (\d+)/g);
  return Array.from(counts, ([, route, status, count]) => `${route} ${status} ${count}`);
}

const leaving: [string, (client: Socket) => void][] = [
  ['closes', (client) => client.destroy()],
  ['half closes', (client) => client.end()],
  ['resets', (client) => client.resetAndDestroy()],
];

describe('a request whose client leaves', () => {
  it.each(leaving)('and %s the connection, is told once, and is no failure', async (_how, leave) => {
    // The handler heeds the signal, or replies later; the reply has begun as a stream, or by hand.
    const paths = ['/heeding', '/deaf', '/stream', '/raw'];
    const clients = await Promise.all(paths.map(() => connectTo(port)));
    // The head of a reply that has begun is out.
    const heads = Promise.all(clients.slice(2).map((client) => once(client, 'data')));
    for (const [index, client] of clients.entries()) ask(client, paths[index] ?? '');
    await expect.poll(() => begun, polling).toBe(4);
    await heads;
    for (const client of clients) leave(client);
    await expect.poll(() => ended, polling).toBe(3);
    const told = await logged(4);
    const line = { level: 'info', msg: 'request', method: 'GET', status: 499, aborted: true, ms: expect.any(Number) };
    for (const path of paths) {
      expect(told).toContainEqual(expect.objectContaining({ ...line, route: path, path }));
    }
    expect(told).toHaveLength(4);
    expect(new Set(lines.map((text) => /"requestId":"(.+?)"/.exec(text)?.[1])).size).toBe(4);
    expect(counted().toSorted()).toEqual(['/deaf 499 1', '/heeding 499 1', '/raw 499 1', '/stream 499 1']);
  });

  it('is told with those that wait behind it on the same connection', async () => {
    const client = await send(2, '/heeding', '/deaf');
    client.destroy();
    expect(await logged(2)).toEqual([
      expect.objectContaining({ route: '/heeding', status: 499 }),
      expect.objectContaining({ route: '/deaf', status: 499 }),
    ]);
    expect(counted()).toEqual(['/heeding 499 1', '/deaf 499 1']);
  });

  it.each([
    ['sends bytes that are not HTTP', ['GARBAGE\r\n\r\n'], 1],
    ['sends too many requests at once', Array.from({ length: 30 }, () => 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'), 17],
  ])('or %s behind it is no failure', async (_what, more, count) => {
    const client = await send(1, '/heeding');
    client.write(more.join(''));
    const told = await logged(count);
    expect(told).toContainEqual(expect.objectContaining({ route: '/heeding', status: 499, aborted: true }));
    expect(lines.join('')).not.toContain('"level":"error"');
    expect(counted().join()).not.toMatch(/ 5\d\d /);
  });

  it('when its time was up is a failure all the same', async () => {
    const client = await connectTo(port);
    client.on('error', () => undefined);
    client.write('GET /deaf HTTP/1.1\r\nhost: a\r\nx-request-timeout: 1\r\n\r\n');
    await expect.poll(() => begun, polling).toBe(1);
    await sleep(5);
    client.destroy();
    await expect.poll(() => ended, polling).toBe(1);
    await logged(1);
    expect(counted()).toEqual(['/deaf 504 1']);
  });
});

describe('a reply that is cut off on this side', () => {
  it('because its stream fails is one error, and a failure', async () => {
    await send(1, '/failing-stream');
    expect(await logged(1)).toEqual([
      expect.objectContaining({
        level: 'error',
        msg: 'request broken off',
        route: '/failing-stream',
        status: 500,
        err: expect.objectContaining({ message: 'the disk is gone' }),
      }),
    ]);
    expect(counted()).toEqual(['/failing-stream 500 1']);
  });

  it('because its time is up is one error, and a failure', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/raw`, { headers: { 'x-request-timeout': '1000' } });
    await expect(response.text()).rejects.toThrow('terminated');
    expect(await logged(1)).toEqual([
      expect.objectContaining({ level: 'error', msg: 'request broken off', route: '/raw', status: 504 }),
    ]);
    expect(counted()).toEqual(['/raw 504 1']);
  });

  it('because the service ends is one error, and a failure', async () => {
    await send(1, '/heeding');
    await drain(http.server, AbortSignal.timeout(50));
    await http.close();
    expect(await logged(1)).toEqual([
      expect.objectContaining({
        level: 'error',
        msg: 'request broken off',
        status: 500,
        err: expect.objectContaining({ message: 'the connection was closed on this side' }),
      }),
    ]);
    expect(counted()).toEqual(['/heeding 500 1']);
  });
});

describe('a request that is answered', () => {
  it('is told once, also when its connection ends before a hook that follows the reply', async () => {
    const patient = await testHttp({}, { durations, log: http.log });
    patient.addHook('onResponse', () => sleep(200));
    patient.get('/', () => ({}));
    await fetch(`http://127.0.0.1:${await listenLocally(patient)}/`, { headers: { connection: 'close' } });
    const [line] = await logged(1);
    expect(line).toMatchObject({ msg: 'request', status: 200 });
    expect(line).not.toHaveProperty('aborted');
    expect(counted()).toEqual(['/ 200 1']);
    await patient.close();
  });
});

it('a connection that became something else is no request any more', async () => {
  const client = await send(1, '/taken');
  client.destroy();
  const other = await send(2, '/heeding');
  other.destroy();
  await logged(1);
  expect(counted()).toEqual(['/heeding 499 1']);
});
