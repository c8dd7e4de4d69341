import { once } from 'node:events';
import { Agent, get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServiceProcess, startProcess } from '../../../test/support/service.ts';
import { TestFiles, testCertificate, until } from '../http2/testing.ts';

/** No server but what is embedded: a database, say, would have to be prepared before anything is ready. */
const embedded = Object.fromEntries(
  Object.keys(process.env).flatMap((name) => (name.endsWith('_URL') ? [[name, undefined]] : [])),
);
const files = new TestFiles();
let service: ServiceProcess;
let admin: string;
beforeAll(async () => {
  files.write(await testCertificate());
  service = startProcess(['cmd/cluster/main.ts'], {
    ...embedded,
    HTTP_WORKERS: '2',
    TLS_CERT_FILE: files.cert,
    TLS_KEY_FILE: files.key,
  });
  await service.logged('all workers are ready');
  admin = `http://127.0.0.1:${service.port('cluster')}`;
}, 60_000);
afterAll(() => {
  service.process.kill('SIGKILL');
  files[Symbol.dispose]();
});

async function metrics(): Promise<string> {
  return (await fetch(`${admin}/metrics`)).text();
}

/** Sends requests over connections that are kept, until it is told to stop. */
async function load(signal: AbortSignal): Promise<{ succeeded: number; failures: string[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
  const seen = { succeeded: 0, failures: [] as string[] };
  const url = `https://127.0.0.1:${service.port('http')}/version`;
  const one = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    get(url, { agent }, (response) => {
      response.resume().once('end', () => resolve());
    }).once('error', reject);
    await promise.then(
      () => (seen.succeeded += 1),
      (error: unknown) => seen.failures.push(String(error)),
    );
  };
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      await one();
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
  agent.destroy();
  return seen;
}

it('serves from several processes, with one admin port for all', async () => {
  expect(await (await fetch(`${admin}/readyz`)).json()).toMatchObject({ status: 'ready', workers: { 1: {}, 2: {} } });
  const text = await metrics();
  expect(text).toMatch(/^build_info\{worker="1",/m);
  expect(text).toMatch(/^build_info\{worker="2",/m);
  expect(text).toMatch(/^cluster_workers\{worker="primary"\} 2$/m);
  const answer = await fetch(`${admin}/log-level`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"level":"nonsense"}',
  });
  expect(answer.status).toBe(400);
});

it('resumes in one worker the session of another', async () => {
  const options = { host: '127.0.0.1', port: service.port('http'), rejectUnauthorized: false };
  const first = connect(options);
  const [session]: unknown[] = await once(first, 'session');
  if (!Buffer.isBuffer(session)) throw new Error('no session');
  first.destroy();
  for (let count = 0; count < 4; count += 1) {
    const again = connect({ ...options, session });
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  }
});

it('fails no request while all workers are replaced', async () => {
  const ending = new AbortController();
  const running = load(ending.signal);
  await sleep(200);
  service.process.kill('SIGUSR2');
  await service.logged('rolling restart done');
  await sleep(200);
  ending.abort();
  const { succeeded, failures } = await running;
  expect(failures).toEqual([]);
  expect(succeeded).toBeGreaterThan(50);
});

it('replaces a worker that crashes', async () => {
  const pids = await workerPids();
  process.kill(Number(pids[0]), 'SIGKILL');
  await until(async () => /^cluster_worker_exits_total\{worker="primary",expected="false"\} 1$/m.test(await metrics()));
  await until(async () => (await workerPids()).length === 2, 30_000);
  expect(await workerPids()).not.toContain(pids[0]);
});

it('ends with exit code 0 when it is told to', async () => {
  expect(await service.stop()).toEqual({ code: 0, signal: null });
});

/** Of those that serve, as their logs say. */
async function workerPids(): Promise<string[]> {
  const text = await metrics();
  const serving = Number(/^cluster_workers\{worker="primary"\} (\d)$/m.exec(text)?.[1]);
  const pids = service.output.flatMap((line) => /"workerPid":(\d+),"msg":"worker started"/.exec(line)?.[1] ?? []);
  return pids.slice(-serving);
}
