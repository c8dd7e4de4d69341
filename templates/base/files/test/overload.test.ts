import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo, receive } from './support/raw.ts';
import { type ServiceProcess, startProcess } from '../scripts/service.ts';

/** A service in a process of its own: it can be blocked, and has a memory to measure. */
const program = `
  import { setTimeout as sleep } from 'node:timers/promises';
  import { run } from './internal/platform/app/run.ts';
  import { admin } from './internal/platform/admin/module.ts';
  import { http } from './internal/platform/http/module.ts';
  import { metrics } from './internal/platform/metrics/module.ts';
  import { tracing } from './internal/platform/app/tracing.ts';
  import { Type } from 'typebox';
  const routes = {
    name: 'routes',
    config: Type.Object({}),
    requires: [http],
    start({ log, use }) {
      const server = use(http);
      server.get('/', () => ({}));
      server.post('/', () => ({}));
      server.post('/hold', async ({ body }) => {
        await sleep(300);
        return { entries: body.length };
      });
      server.get('/hold', async () => sleep(300, {}));
      server.get('/block', () => {
        log.info('blocking');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
        return {};
      });
      return { value: undefined };
    },
  };
  await run([metrics, tracing, admin, http, routes]);`;

let service: ServiceProcess;
let api: string;
let admin: string;
beforeAll(async () => {
  // An eighth of the memory that Node gives itself in the pods of deploy/k8s/, and as much less for bodies.
  const args = ['--max-old-space-size=64', '--input-type=module', '--eval', program];
  service = startProcess(args, { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: '300', HTTP_BODY_MEMORY_BYTES: '4194304' });
  await service.logged('ready');
  [api, admin] = [`http://127.0.0.1:${service.port('http')}`, `http://127.0.0.1:${service.port('admin')}`];
});
afterAll(() => service.stop('SIGKILL'));

it('a service whose event loop is blocked turns requests away with 503, and still answers its probes', async () => {
  const blocked = fetch(`${api}/block`);
  await service.logged('blocking');
  const [refused, alive] = await Promise.all([fetch(api), fetch(`${admin}/livez`)]);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(alive.status).toBe(200);
  expect((await blocked).status).toBe(200);
  await expect.poll(async () => (await fetch(api)).status).toBe(200);
});

describe('a service that is sent twenty bodies of 100 MB at once', () => {
  const bytes = 100_000_000;

  it('does not grow by as much as one of them', async () => {
    const before = await memory();
    await Promise.all(Array.from({ length: 20 }, pour));
    expect((await memory()) - before).toBeLessThan(bytes);
  });

  /** Sends a body in chunks until the service hangs up. */
  async function pour(): Promise<void> {
    const socket = await connectTo(service.port('http'));
    const closed = receive(socket);
    socket.write(
      'POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < bytes && socket.writable; sent += 0x10000) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
    }
    await closed;
  }

  /** @returns resident bytes */
  async function memory(): Promise<number> {
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
  }
});

describe('a service with little memory', () => {
  const megabyte = 1_000_000;
  const post = 'POST /hold HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n';
  const times = (text: string, bytes: number): string => text.repeat(Math.floor(bytes / text.length));
  const body = (json: string): string => `${post}Content-Length: ${json.length}\r\n\r\n${json}`;
  const get = 'GET /hold HTTP/1.1\r\nHost: test\r\n';

  it.each([
    ['20 bodies as large as they may be', 20, body(`[${times('"ab",', megabyte)}0]`)],
    ['10 bodies of empty objects', 10, body(`[${times('{},', megabyte)}0]`)],
    [
      'a body in chunks of one byte',
      1,
      `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n${times('1\r\n0\r\n1\r\n,\r\n', 2 * megabyte)}`,
    ],
    ['300 heads of as many headers as fit', 300, `${get}${times('x:y\r\n', 16_000)}\r\n`],
    ['4 clients that do not wait for replies', 4, times(`${get}\r\n`, megabyte)],
  ])('turns %s away or answers them, and lives', async (_what, clients, bytes) => {
    const replies = await Promise.all(Array.from({ length: clients }, () => send(bytes)));
    const statuses = new Set(replies.map((reply) => /^HTTP\/1\.1 (\d+) /.exec(reply)?.[1] ?? 'cut off'));
    expect(['200', '400', '408', '431', '503', 'cut off']).toEqual(expect.arrayContaining([...statuses]));
    expect(service.process.exitCode).toBeNull();
    // A moment later all is as before.
    await expect.poll(async () => (await fetch(api)).status).toBe(200);
  });

  /** Sends all of it, as far as the service takes it, and waits for the end. */
  async function send(bytes: string): Promise<string> {
    const socket = await connectTo(service.port('http'));
    const received = receive(socket);
    socket.end(bytes);
    return received;
  }
});
