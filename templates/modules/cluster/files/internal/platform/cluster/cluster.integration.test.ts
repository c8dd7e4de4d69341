import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServiceProcess, startProcess } from '../../../scripts/service.ts';
import { loadWhileRolling, twoWorkers } from './testing.ts';

/** For processes that start on a machine with much else to do. */
const patience = { timeout: 60_000 };

let service: ServiceProcess;
let admin: string;
beforeAll(async () => {
  service = startProcess(['cmd/cluster/main.ts'], twoWorkers);
  await service.logged('all workers are ready');
  admin = `http://127.0.0.1:${service.port('cluster')}`;
}, 60_000);
afterAll(() => {
  service.process.kill('SIGKILL');
});

async function metrics(): Promise<string> {
  return (await fetch(`${admin}/metrics`)).text();
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

it('fails no request while all workers are replaced', async () => {
  const { succeeded, failures } = await loadWhileRolling(service, 'http');
  expect(failures).toEqual([]);
  expect(succeeded).toBeGreaterThan(50);
});

it('replaces a worker that crashes', async () => {
  const pids = await workerPids();
  process.kill(Number(pids[0]), 'SIGKILL');
  await expect.poll(metrics, patience).toMatch(/^cluster_worker_exits_total\{worker="primary",expected="false"\} 1$/m);
  await expect.poll(workerPids, patience).toHaveLength(2);
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
