import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement } from './measurement.ts';
import { median, runProgram } from './sample.ts';
import { type Candidate, candidates, reply, start } from './services.ts';
import { table } from './table.ts';

interface Run {
  readonly readyMs: number;
  readonly restMb: number;
}

const rounds = 7;

/** What services cost before they do anything: start, memory at rest, packages. */
export const footprint: Measurement = {
  title: 'A fresh service at rest: production build, started with `node`, polled until it answers',
  async measure({ service, serviceEnv: env }) {
    const services = candidates.map((candidate) => ({ candidate, folder: service(candidate), runs: [] as Run[] }));
    for (let round = -1; round < rounds; round += 1) {
      for (const { candidate, folder, runs } of services) {
        const run = await startOnce(candidate, folder, env);
        if (round >= 0) runs.push(run);
      }
    }
    const rows = services.map(({ candidate, folder, runs }) => [
      candidate.name,
      median(runs.map(({ readyMs }) => readyMs)).toFixed(0),
      median(runs.map(({ restMb }) => restMb)).toFixed(0),
      ...[installForProduction(folder, env), folder].flatMap((installed) => [
        packagesIn(installed),
        megabytesIn(path.join(installed, 'node_modules'), env),
      ]),
    ]);
    return table(
      ['what', 'start to ready, ms', 'memory, MB', 'packages in production', 'MB', 'packages in development', 'MB'],
      rows,
    );
  },
};

async function startOnce(candidate: Candidate, cwd: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const begun = performance.now();
  await using started = await start(candidate.start, cwd, { ...env, NODE_ENV: 'production' });
  await reply(started.origin, started.child);
  const readyMs = performance.now() - begun;
  await sleep(1000);
  return { readyMs, restMb: residentMb(started.child) };
}

/** Linux tells it in kilobytes (proc_pid_status(5)). */
function residentMb({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** @returns a folder beside the service's, with its production packages */
function installForProduction(service: string, env: NodeJS.ProcessEnv): string {
  const folder = `${service}-production`;
  mkdirSync(folder);
  for (const file of ['package.json', 'package-lock.json']) cpSync(path.join(service, file), path.join(folder, file));
  runProgram(['npm', 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], folder, env);
  return folder;
}

/** As npm has recorded what it installed. */
function packagesIn(folder: string): number {
  const lock: unknown = JSON.parse(readFileSync(path.join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  return Object.keys((lock as { packages: object }).packages).length;
}

function megabytesIn(folder: string, env: NodeJS.ProcessEnv): string {
  return (Number.parseInt(runProgram(['du', '-sk', folder], folder, env), 10) / 1024).toFixed(0);
}
