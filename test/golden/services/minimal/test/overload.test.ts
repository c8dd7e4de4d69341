import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectTo, receive } from './support/raw.ts';
import { type ServiceProcess, startProcess } from './support/service.ts';

/** A service in a process of its own: it can be blocked, and has a memory to measure. */
const program = `
  import { run } from './internal/app/run.ts';
  import { admin } from './internal/admin/module.ts';
  import { http } from './internal/http/module.ts';
  import { metrics } from './internal/metrics/module.ts';
  import { telemetry } from './internal/telemetry/module.ts';
  import { Type } from 'typebox';
  const routes = {
    name: 'routes',
    config: Type.Object({}),
    requires: [http],
    start({ log, use }) {
      const server = use(http);
      server.get('/', () => ({}));
      server.post('/', () => ({}));
      server.get('/block', () => {
        log.info('blocking');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
        return {};
      });
      return { value: undefined };
    },
  };
  await run([metrics, telemetry, admin, http, routes]);`;

let service: ServiceProcess;
let api: string;
let admin: string;
beforeEach(async () => {
  service = startProcess(['--input-type=module', '--eval', program], { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: '300' });
  await service.logged('ready');
  [api, admin] = [`http://127.0.0.1:${service.port('http')}`, `http://127.0.0.1:${service.port('admin')}`];
});
afterEach(() => service.stop('SIGKILL'));

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
