import { type ChildProcess, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../helpers/liveService.ts';
import type { Measurement } from './measurement.ts';
import { cpuSeconds, startServer, stopServer } from './process.ts';
import { runProgram } from './sample.ts';
import { slipwayWith } from './services.ts';
import { rateTable } from './table.ts';
import { withHello } from './throughput.ts';

const rounds = 5;
const seconds = 4;
/** The server has the first; the load has the last one, alone if there are enough. */
const loadCore = String(Math.min(2, os.availableParallelism() - 1));
const certificate = { TLS_CERT_FILE: '.certificate/tls.crt', TLS_KEY_FILE: '.certificate/tls.key' };
const compressed = ['-H', 'accept-encoding: br'];

/** What is put under load, and how. */
interface Case {
  readonly name: string;
  readonly main: string;
  /** By TLS, unless told. */
  readonly plain?: boolean;
  /** Of h2load. */
  readonly load: readonly string[];
  readonly path: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Of the server; the first, unless told. */
  readonly cores?: string;
}

const http1 = ['--h1', '-c50', '-m1'];
const shared = ['-c5', '-m10'];

/** What each setting of modules tls, static and cluster gives, in turn; h2load speaks all protocols. */
export const tls: Measurement = {
  title: 'TLS, HTTP/2, files and workers: h2load, fifty requests at a time',
  lacks() {
    const tools = ['h2load', 'taskset'].filter((tool) => spawnSync('which', [tool]).status !== 0);
    return os.availableParallelism() < 2 ? [...tools, 'a second core'] : tools;
  },
  async measure({ service }) {
    const { folder, main: hello } = withHello(service(slipwayWith('cluster', 'static', 'tls')));
    runProgram(['npm', 'run', 'certificate'], folder);
    publish(folder);
    const cluster = withCluster(folder, hello);
    const small = { main: hello, path: '/hello' };
    const settings = await compare(folder, [
      { name: 'HTTP/1.1 without TLS', ...small, plain: true, load: http1 },
      { name: 'HTTP/1.1 by TLS', ...small, load: http1 },
      { name: 'HTTP/2 by TLS, 5 connections with 10 requests each', ...small, load: shared },
      { name: 'HTTP/2 by TLS, 50 connections with 1 request each', ...small, load: ['-c50', '-m1'] },
      {
        name: 'a file of 200 KB, compressed once',
        main: hello,
        path: '/static/packed.js',
        load: [...shared, ...compressed],
      },
      {
        name: 'the same, not compressed',
        main: hello,
        path: '/static/loose.js',
        load: [...shared, ...compressed],
      },
      {
        name: 'cmd/cluster, 1 worker',
        ...small,
        main: cluster,
        load: shared,
        cores: '0,1',
        env: { HTTP_WORKERS: '1' },
      },
      {
        name: 'cmd/cluster, 2 workers',
        ...small,
        main: cluster,
        load: shared,
        cores: '0,1',
        env: { HTTP_WORKERS: '2' },
      },
    ]);
    return [settings, await connections(folder, hello)].join('\n\n');
  },
};

/** Two files alike, of which one has been compressed by the build. */
function publish(folder: string): void {
  const text = Array.from({ length: 4000 }, (_, index) => `export const item${index} = ${index * 7919};\n`).join('');
  mkdirSync(path.join(folder, 'public'), { recursive: true });
  writeFileSync(path.join(folder, 'public/packed.js'), text);
  runProgram([process.execPath, 'scripts/build.ts'], folder);
  writeFileSync(path.join(folder, 'dist/public/loose.js'), text);
}

/** `cmd/cluster` runs what lies beside it as `server`: here the service with the small route. */
function withCluster(folder: string, hello: string): string {
  const main = 'dist/bench/cluster/main.js';
  for (const name of ['cluster', 'server']) mkdirSync(path.join(folder, 'dist/bench', name), { recursive: true });
  cpSync(path.join(folder, 'dist/cmd/cluster/main.js'), path.join(folder, main));
  cpSync(path.join(folder, hello), path.join(folder, 'dist/bench/server/main.js'));
  return main;
}

async function compare(folder: string, cases: readonly Case[]): Promise<string> {
  const rates = cases.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, each] of cases.entries()) rates[index]?.push(await measure(folder, each));
  }
  return [
    'One core for the server and one for the load; `cmd/cluster` has two cores, of which the load takes one as well where there are no more.',
    rateTable(
      'requests/s',
      cases.map(({ name }) => name),
      rates,
    ),
  ].join('\n\n');
}

/** @returns requests per second */
async function measure(folder: string, { name, main, plain, load, path: route, env, cores }: Case): Promise<number> {
  const { port, server } = await serve(folder, main, { ...(plain ? {} : certificate), ...env }, cores);
  const args = [...load, `-D${seconds}`, `${plain ? 'http' : 'https'}://127.0.0.1:${port}${route}`];
  try {
    // Until what runs often is compiled.
    h2load(args);
    return h2load(args);
  } catch (error) {
    throw new Error(`${name} cannot be measured`, { cause: error });
  } finally {
    await stopServer(server);
  }
}

/** What it costs the server that connections are not kept. */
async function connections(folder: string, main: string): Promise<string> {
  const names = {
    kept: 'one after the other on connections that are kept',
    resumed: 'each on a connection of its own, which resumes a session',
    new: 'each on a connection of its own, with a whole handshake',
  };
  const program = 'dist/bench/tlsLoad.mjs';
  copyFileSync(path.join(import.meta.dirname, 'peers/tlsLoad.mjs'), path.join(folder, program));
  const rates = Object.keys(names).map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, mode] of Object.keys(names).entries()) {
      const { port, server } = await serve(folder, main, certificate);
      const args = [String(port), String(seconds), mode];
      const load = () => Number(runProgram(['taskset', '-c', loadCore, process.execPath, program, ...args], folder));
      load();
      const before = cpuSeconds(server);
      const answered = load();
      rates[index]?.push(answered / (cpuSeconds(server) - before));
      await stopServer(server);
    }
  }
  return [
    '### Connections: small requests by HTTP/1.1 and TLS, ten at a time: requests for each second that the server computes',
    rateTable('requests/CPU-s', Object.values(names), rates),
  ].join('\n\n');
}

interface Served {
  readonly port: number;
  readonly server: ChildProcess;
}

async function serve(folder: string, main: string, env: NodeJS.ProcessEnv, cores?: string): Promise<Served> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const server = startServer(folder, main, { ...env, ADMIN_PORT: String(adminPort), PORT: String(port) }, cores);
  for (let tries = 0; tries < 600; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    if (answer?.ok) return { port, server };
    await sleep(50);
  }
  await stopServer(server, 'SIGKILL');
  throw new Error('the service does not get ready');
}

function h2load(args: readonly string[]): number {
  const { stdout } = spawnSync('taskset', ['-c', loadCore, 'h2load', '-t1', ...args], { encoding: 'utf8' });
  const [, rate] = /finished in [\d.]+m?s, ([\d.]+) req\/s/.exec(stdout) ?? [];
  if (rate === undefined || !/ 0 failed, 0 errored, 0 timeout/.test(stdout) || !/status codes: [1-9]/.test(stdout)) {
    throw new Error(stdout);
  }
  return Number(rate);
}
