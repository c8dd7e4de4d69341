import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from '../helpers/liveService.ts';
import type { Measurement } from './measurement.ts';
import { median } from './sample.ts';
import { type Candidate, candidates, reply, start } from './services.ts';
import { table } from './table.ts';

const rounds = 3;
const connections = 50;
const pauseMs = 20;
const beforeMs = 1000;
/** About how long Kubernetes takes to tell everyone that a pod has gone. */
const goOnMs = 1000;
/** As in a service's `deploy/k8s/base/deployment.yaml`. */
const delayMs = 5000;

interface Run {
  readonly answered: number;
  readonly failed: number;
  /** From the signal to the end. */
  readonly exitMs: number;
  readonly end: string;
}

/** What a rollout costs clients. */
export const sigterm: Measurement = {
  title: 'SIGTERM under load',
  async measure({ service, serviceEnv }) {
    const services = candidates.map((candidate) => ({ candidate, folder: service(candidate), runs: [] as Run[] }));
    for (let round = 0; round < rounds; round += 1) {
      for (const { candidate, folder, runs } of services) runs.push(await stopOnce(candidate, folder, serviceEnv));
    }
    const rows = services.map(({ candidate: { name }, runs }) => {
      const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
      const [answered, failed] = [sum((run) => run.answered), sum((run) => run.failed)];
      const ends = [...new Set(runs.map(({ end }) => end))].join(', ');
      return [name, answered + failed, answered, failed, median(runs.map(({ exitMs }) => exitMs)).toFixed(0), ends];
    });
    return [
      `Production build, ${connections} keep-alive connections, a request every ${pauseMs} ms on each, for ${beforeMs / 1000} s before the signal and ${goOnMs / 1000} s after it: about how long Kubernetes takes to tell everyone. ${rounds} times, requests added up. Slipway’s goes on serving for SHUTDOWN_DELAY_MS first, ${delayMs} ms as in its Deployment; the others have no such setting.`,
      table(['what', 'requests sent', 'answered', 'failed', 'signal to exit, ms', 'ended by'], rows),
    ].join('\n\n');
  },
};

async function stopOnce(candidate: Candidate, folder: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const settings = { ...env, NODE_ENV: 'production', SHUTDOWN_DELAY_MS: String(delayMs) };
  await using started = await start(candidate.start, folder, settings);
  const { origin, child } = started;
  const url = origin + candidate.route;
  await reply(url, child, (_, status) => status === 200);
  let hasLeft = false;
  const clients = load(url, connections, () => hasLeft, {}, pauseMs);
  await sleep(beforeMs);
  const begun = performance.now();
  const exited = once(child, 'exit').then(([code, signal]) => ({
    exitMs: performance.now() - begun,
    end: code === null ? String(signal) : `exit code ${String(code)}`,
  }));
  child.kill('SIGTERM');
  // As long as Kubernetes waits by default.
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await sleep(goOnMs);
  hasLeft = true;
  const requests = await clients;
  const exit = await exited;
  clearTimeout(limit);
  return { ...requests, ...exit };
}
