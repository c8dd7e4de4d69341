import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../helpers/liveService.ts';
import { median, runProgram } from './sample.ts';

/** A service as a generator lays it down. */
interface Candidate {
  readonly name: string;
  /** Makes `folder/orders`, not installed. */
  readonly generate: readonly [string, ...string[]];
  readonly build?: readonly [string, ...string[]];
  readonly start: (port: number) => readonly [string, ...string[]];
}

interface Run {
  readonly readyMs: number;
  readonly restMb: number;
}

const rounds = 7;

/**
 * Compares what services cost before they do anything: start, memory at rest, packages, build.
 * @param scratch folder for the services
 * @param create our executable
 * @param env finds a Node that is new enough for all of them
 * @returns a table in Markdown
 */
export async function footprint(scratch: string, create: string, env: NodeJS.ProcessEnv): Promise<string> {
  const rows: string[] = [];
  const services = candidates(create).map((candidate, index) => {
    const folder = path.join(scratch, `footprint-${index}`);
    mkdirSync(folder);
    runProgram(candidate.generate, folder, env);
    const service = path.join(folder, 'orders');
    runProgram(['npm', 'install', '--no-audit', '--no-fund'], service, env);
    const begun = performance.now();
    if (candidate.build !== undefined) runProgram(candidate.build, service, env);
    return { ...candidate, service, buildMs: performance.now() - begun, runs: [] as Run[] };
  });
  for (let round = -1; round < rounds; round += 1) {
    for (const { service, start, runs } of services) {
      const run = await startOnce(service, start, env);
      if (round >= 0) runs.push(run);
    }
  }
  for (const { name, service, build, buildMs, runs } of services) {
    const production = `${service}-production`;
    mkdirSync(production);
    for (const file of ['package.json', 'package-lock.json'])
      cpSync(path.join(service, file), path.join(production, file));
    runProgram(['npm', 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], production, env);
    const cells = [
      name,
      median(runs.map(({ readyMs }) => readyMs)).toFixed(0),
      median(runs.map(({ restMb }) => restMb)).toFixed(0),
      ...[production, service].flatMap((folder) => [
        packagesIn(folder),
        megabytesIn(path.join(folder, 'node_modules'), env),
      ]),
      build === undefined ? '' : (buildMs / 1000).toFixed(1),
    ];
    rows.push(`| ${cells.join(' | ')} |`);
  }
  return [
    '## A fresh service at rest: production build, started with `node`, polled until it answers',
    '',
    '| what | start to ready, ms | memory, MB | packages in production | MB | packages in development | MB | build, s |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function candidates(create: string): readonly Candidate[] {
  return [
    {
      name: 'create-slipway',
      generate: ['node', create, 'orders', '--yes', '--no-install', '--no-git'],
      build: ['npm', 'run', 'build'],
      start: () => ['node', 'dist/cmd/server/main.js'],
    },
    {
      // Its TypeScript template does not build with the compiler that it installs.
      name: 'fastify-cli, JavaScript',
      generate: npx('fastify-cli@8.0.2', 'generate', 'orders'),
      start: (port) => ['node', 'node_modules/fastify-cli/cli.js', 'start', '--port', String(port), 'app.js'],
    },
    {
      name: 'Nest',
      generate: npx('@nestjs/cli@12.0.8', 'new', 'orders', '--skip-git', '--skip-install', '--package-manager', 'npm'),
      build: ['npm', 'run', 'build'],
      start: () => ['node', 'dist/main.js'],
    },
  ];
}

function npx(name: string, ...args: string[]): readonly [string, ...string[]] {
  return ['npx', '--yes', name, ...args];
}

async function startOnce(cwd: string, start: Candidate['start'], env: NodeJS.ProcessEnv): Promise<Run> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const [program, ...args] = start(port);
  const begun = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env, NODE_ENV: 'production', PORT: String(port), ADMIN_PORT: String(adminPort) },
    stdio: 'ignore',
  });
  try {
    await answers(`http://127.0.0.1:${port}/`, child);
    const readyMs = performance.now() - begun;
    await sleep(1000);
    return { readyMs, restMb: residentMb(child) };
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

/** Any answer will do: that there is no such route is one too. */
async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 3000 && child.exitCode === null; attempt += 1) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(5);
  }
  throw new Error(`nothing answers at ${url}`);
}

/** Linux tells it in kilobytes (proc_pid_status(5)). */
function residentMb({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** As npm has recorded what it installed. */
function packagesIn(folder: string): number {
  const lock: unknown = JSON.parse(readFileSync(path.join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  return Object.keys((lock as { packages: object }).packages).length;
}

function megabytesIn(folder: string, env: NodeJS.ProcessEnv): string {
  return (Number.parseInt(runProgram(['du', '-sk', folder], folder, env), 10) / 1024).toFixed(0);
}
