import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from '@prometheus-io/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../../test/support/http.ts';
import { connectTo } from '../../../../test/support/raw.ts';
import { createLogger } from '../../log/logger.ts';
import { ErrorCounts } from '../../metrics/module.ts';
import type { Http } from '../server.ts';

/** More than the system takes for one connection. */
const bytes = 30_000_000;

let http: Http;
let port: number;
let registry: Registry;
let lines: string[];

async function start(env: Readonly<Record<string, string>>): Promise<void> {
  lines = [];
  registry = new Registry();
  const log = await createLogger('info', { write: (line) => void lines.push(line) });
  http = await testHttp({ HTTP_STALL_TIMEOUT_MS: '1000', ...env }, { log, errors: new ErrorCounts(registry) });
  http.get('/', () => ({}));
  http.get('/large', (_request, reply) => reply.type('image/png').send(Buffer.alloc(bytes)));
  http.get('/stream', { config: { deadlineMs: Infinity } }, (_request, reply) =>
    reply.type('image/png').send(Readable.from(pieces())),
  );
  http.get('/events', { config: { deadlineMs: Infinity } }, (_request, reply) =>
    reply.type('text/event-stream').send(Readable.from(rarely())),
  );
  http.get('/slow', async () => {
    await sleep(2000);
    return {};
  });
  port = await listenLocally(http);
}
beforeEach(() => start({}));
afterEach(async () => {
  http.server.closeAllConnections();
  await http.close();
});

async function* pieces() {
  for (let sent = 0; sent < bytes; sent += 100_000) yield Buffer.alloc(100_000);
}

async function* rarely() {
  yield 'data: first\n\n';
  await sleep(2000);
  yield 'data: last\n\n';
}

async function ask(...paths: string[]): Promise<Socket> {
  const client = await connectTo(port);
  client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  return client;
}

function stalled(): Promise<string> {
  return registry.metrics();
}

describe('a client that does not read its reply', () => {
  it.each([
    ['/large', {}],
    ['/stream', {}],
    // Its reply was ready in time.
    ['/large', { HTTP_DEADLINE_MS: '100' }],
  ])('%s is cut off, counted, and no failure of ours; others are served (%j)', async (path, env) => {
    http.server.closeAllConnections();
    await http.close();
    await start(env);
    const client = await ask(path);
    client.on('error', () => undefined).pause();
    await expect.poll(stalled, { timeout: 60_000 }).toContain('errors_total{code="reader_stalled"} 1');
    await expect
      .poll(() => lines.map((line): unknown => JSON.parse(line)), { timeout: 60_000 })
      .toEqual([expect.objectContaining({ msg: 'request', route: path, status: 499, aborted: true })]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    client.destroy();
  });
});

describe('a client that reads', () => {
  it('slowly gets all of it', async () => {
    const client = await ask('/large');
    let received = 0;
    let next = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < next) return;
      next += bytes / 30;
      client.pause();
      setTimeout(() => client.resume(), 100);
    });
    await expect.poll(() => received, { timeout: 60_000 }).toBeGreaterThan(bytes);
    client.destroy();
  });

  it('what comes rarely, on a connection that has read a large reply before, is waited for', async () => {
    const client = await ask('/stream', '/events', '/slow', '/');
    let tail = '';
    client.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString('latin1')).slice(-5000)));
    await expect.poll(() => tail.match(/HTTP\/1.1 200 /g)?.length, { timeout: 60_000 }).toBe(3);
    expect(tail).toContain('data: last');
    expect(await stalled()).not.toContain('reader_stalled');
    client.destroy();
  });
});
