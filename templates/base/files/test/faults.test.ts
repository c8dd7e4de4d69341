import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { listen } from '../internal/platform/http/connections.ts';
import { inherited, root, startProcess } from '../scripts/service.ts';

/** The API and the port for operations, and nothing that takes its time to start. */
const program = `
  import { admin } from './internal/platform/admin/module.ts';
  import { run } from './internal/platform/app/run.ts';
  import { http } from './internal/platform/http/module.ts';
  import { metrics } from './internal/platform/metrics/module.ts';
  import { tracing } from './internal/platform/app/tracing.ts';
  await run([metrics, tracing, admin, http]);`;
const args = ['--input-type=module', '--eval', program];

const ends: (() => void)[] = [];
afterAll(() => {
  for (const end of ends) end();
});

/** @returns a server that has taken a port */
async function listening() {
  const server = createServer();
  const port = String(await listen(server, '0.0.0.0', 0));
  ends.push(() => server.close());
  return { server, port };
}

async function freePort(): Promise<string> {
  const { server, port } = await listening();
  server.close();
  await once(server, 'close');
  return port;
}

describe.concurrent('a service whose port is taken', () => {
  it('ends with exit code 1 and says so', async () => {
    const { port } = await listening();
    const service = startProcess(args, { PORT: port, HOST: '0.0.0.0' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.messages).toContain('the service could not start');
    expect(service.output.join('\n')).toContain(`address already in use 0.0.0.0:${port}`);
  });
});

describe.concurrent('a service that gets arguments', () => {
  it('ends with exit code 2 and says where its settings are', async () => {
    const service = startProcess([...args, '--', '--port', '80'], {});
    expect(await service.exited).toEqual({ code: 2, signal: null });
    expect(service.output.join('\n')).toContain('settings are environment variables');
  });
});

describe.concurrent('a service whose log cannot be written', () => {
  /** Starts it with that standard output and waits until it is ready. */
  async function start(stdout: number | 'pipe') {
    // It cannot say which ports it has chosen, and of those that it is told another process may take one first.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const [port, adminPort] = [await freePort(), await freePort()];
      const child = spawn(process.execPath, args, {
        cwd: root,
        env: { ...inherited, PORT: port, ADMIN_PORT: adminPort, LOG_SAMPLE_THEREAFTER: '1' },
        stdio: ['ignore', stdout, 'inherit'],
      });
      ends.push(() => child.kill('SIGKILL'));
      const exited = once(child, 'exit');
      const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${adminPort}${path}`);
      const isReady = async (): Promise<boolean> => (await get('/readyz').catch(() => undefined))?.ok ?? false;
      while (child.exitCode === null) {
        if (await isReady()) return { child, get, api: `http://127.0.0.1:${port}`, exited };
        await sleep(20);
      }
    }
    throw new Error('it does not start');
  }

  /** A line is written, and lost, after its reply; the first may still fit into the pipe. */
  async function losesLines({ api, get }: Awaited<ReturnType<typeof start>>): Promise<void> {
    await vi.waitFor(
      async () => {
        expect((await fetch(`${api}/version`)).status).toBe(200);
        expect(await (await get('/metrics')).text()).toMatch(/^log_lines_dropped_total\{reason="lost"\} [1-9]/m);
      },
      { timeout: 60_000 },
    );
  }

  // Linux has a device that is always full.
  it.runIf(existsSync('/dev/full'))(
    'serves on, counts the lines and ends with exit code 0 when the disk is full',
    async () => {
      const service = await start(openSync('/dev/full', 'w'));
      await losesLines(service);
      service.child.kill('SIGTERM');
      expect(await service.exited).toEqual([0, null]);
    },
  );

  it('serves on, counts the lines and ends with exit code 0 when the pipe is broken', async () => {
    const service = await start('pipe');
    service.child.stdout?.destroy();
    await losesLines(service);
    service.child.kill('SIGTERM');
    expect(await service.exited).toEqual([0, null]);
  });

  it('serves on when nobody reads the pipe, and ends, though Node would wait for the reader', async () => {
    const { child, get, api, exited } = await start('pipe');
    const url = `${api}/${'x'.repeat(8000)}`;
    // 800 kB of log: more than a pipe holds.
    for (let count = 0; count < 100; count += 1) expect((await fetch(url)).status).toBe(404);
    expect((await get('/livez')).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toEqual([null, 'SIGKILL']);
  });
});
