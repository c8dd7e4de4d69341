import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { connectTo, receive } from './support/raw.ts';
import { type ServiceProcess, startProcess, startService } from './support/service.ts';

const running: ServiceProcess[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop('SIGKILL');
});

describe('a service whose event loop is blocked', () => {
  it('turns requests away with 503, and still answers its probes', async () => {
    const program = `
      import { run } from './internal/app/run.ts';
      import { admin } from './internal/admin/module.ts';
      import { http } from './internal/http/module.ts';
      import { metrics } from './internal/metrics/module.ts';
      import { Type } from 'typebox';
      const blocking = {
        name: 'blocking',
        config: Type.Object({}),
        requires: [http],
        start({ log, use }) {
          use(http).get('/block', () => {
            log.info('blocking');
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
            return {};
          });
          return { value: undefined };
        },
      };
      await run([metrics, admin, http, blocking]);`;
    const service = startProcess(['--input-type=module', '--eval', program], { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: '300' });
    running.push(service);
    await service.logged('ready');
    const [api, admin] = [`http://127.0.0.1:${service.port('http')}`, `http://127.0.0.1:${service.port('admin')}`];

    const blocked = fetch(`${api}/block`);
    await service.logged('blocking');
    const [refused, alive] = await Promise.all([fetch(`${api}/openapi.json`), fetch(`${admin}/livez`)]);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(alive.status).toBe(200);
    expect((await blocked).status).toBe(200);
    await expect.poll(async () => (await fetch(`${api}/openapi.json`)).status).toBe(200);
  });
});

describe('a service that is sent twenty bodies of 100 MB at once', () => {
  const megabyte = 1_000_000;

  it('does not grow by as much as one of them', async () => {
    const service = await startService();
    running.push(service);
    const before = await memory(service.admin);
    await Promise.all(Array.from({ length: 20 }, async () => pour(service.port('http'), 100 * megabyte)));
    expect((await memory(service.admin)) - before).toBeLessThan(100 * megabyte);
  });

  /** Sends a body in chunks until the service hangs up. */
  async function pour(port: number, bytes: number): Promise<void> {
    const socket = await connectTo(port);
    const closed = receive(socket);
    socket.write(
      'POST /items HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < bytes && socket.writable; sent += 0x10000) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
    }
    await closed;
  }

  /** @returns resident bytes */
  async function memory(admin: string): Promise<number> {
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
  }
});
