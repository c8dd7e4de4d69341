import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../helpers/liveService.ts';
import type { Measurement } from './measurement.ts';
import { cpuSeconds, startServer, stopServer } from './process.ts';
import { runProgram } from './sample.ts';
import { reply, slipway } from './services.ts';
import { rateTable } from './table.ts';

/** A server that is put under load. */
export interface Server {
  readonly name: string;
  readonly folder: string;
  readonly main: string;
  /** The requested path. The default is `/hello`. */
  readonly route?: string;
  /** Variables of its own. */
  readonly env?: NodeJS.ProcessEnv;
}

const sources = path.join(import.meta.dirname, 'peers');
const packages = [
  'fastify@5.12.8',
  '@fastify/helmet@13.2.0',
  '@fastify/otel@0.21.2',
  '@nestjs/common@12.5.1',
  '@nestjs/core@12.5.1',
  '@nestjs/platform-express@12.5.1',
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/context-async-hooks@3.1.1',
  '@opentelemetry/exporter-trace-otlp-proto@0.301.1',
  '@opentelemetry/sdk-trace@3.1.1',
  'prom-client@15.1.3',
  'reflect-metadata@0.2.2',
  'rxjs@7.8.2',
];
// How a process starts moves its figure: garbage collected at a moment when V8 forgets what it has learnt.
const starts = 9;
const turns = 8;
const seconds = { warming: 4, turn: 1 };
const connections = 50;

/** The base service and its peers under load, in turn: the server on one core, the load generator (wrk) on another. */
export const throughput: Measurement = {
  title: `Throughput of a small JSON route: wrk, ${connections} connections, one core for the server and one for the load`,
  lacks: lacksForLoad,
  async measure({ cache, service }) {
    const collector = createServer((request, response) => request.resume().on('end', () => response.end()));
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    // Listening on TCP, the address is of this form.
    const { port } = collector.address() as AddressInfo;
    const env = {
      ADMIN_PORT: '0',
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_TRACES_SAMPLER_ARG: '0.01',
    };
    const folder = installPeers(path.join(cache, 'http'), packages, ['bare.mjs', 'usual.mjs', 'nest.mjs']);
    const servers: Server[] = [
      { name: 'bare Fastify, response schema, no logger', folder, main: 'bare.mjs' },
      { name: 'the base service as it comes', ...withHello(service(slipway)) },
      { name: 'the same features, the usual way', folder, main: 'usual.mjs' },
      { name: 'Nest on Express, hello world', folder, main: 'nest.mjs' },
    ];
    const compared = await underLoad(servers, env);
    collector.close();
    return [
      'The base service is as it comes: request logs (of one message the first 100 a second, then each hundredth), metrics, security headers, deadlines, traces of which 1 % are recorded and sent.',
      compared,
    ].join('\n\n');
  },
};

/** @returns what load needs and this machine does not have */
export function lacksForLoad(): string[] {
  const tools = ['wrk', 'taskset'].filter((tool) => spawnSync('which', [tool]).status !== 0);
  return os.availableParallelism() < 2 ? [...tools, 'a second core'] : tools;
}

/** How much servers do: for each of them one figure for each start. */
export interface Rates {
  readonly perSecond: readonly (readonly number[])[];
  /** For each second that the server computes: what else the machine does is not in it. */
  readonly perCpuSecond: readonly (readonly number[])[];
}

/**
 * Puts servers under load, as `ratesUnderLoad` does.
 * @param servers the first is what the others are compared with
 * @param env variables besides the present ones
 * @returns a table in Markdown
 */
export async function underLoad(servers: readonly Server[], env: NodeJS.ProcessEnv): Promise<string> {
  const { perSecond } = await ratesUnderLoad(servers, env);
  return rateTable(
    'requests/s',
    servers.map(({ name }) => name),
    perSecond,
  );
}

/**
 * Puts servers under load: they run side by side, and take short turns, as the machine is faster now and slower then.
 * @param servers each with its route
 * @param env variables besides the present ones
 * @param times how often all of them are started
 * @returns requests of each server
 */
export async function ratesUnderLoad(
  servers: readonly Server[],
  env: NodeJS.ProcessEnv,
  times = starts,
): Promise<Rates> {
  const perSecond = servers.map((): number[] => []);
  const perCpuSecond = servers.map((): number[] => []);
  for (let count = 0; count < times; count += 1) {
    for (const [index, { requests, cpu }] of (await takingTurns(servers, env)).entries()) {
      perSecond[index]?.push(requests / (turns * seconds.turn));
      perCpuSecond[index]?.push(requests / cpu);
    }
  }
  return { perSecond, perCpuSecond };
}

/** @returns of each server the requests of all its turns, and the seconds that it has computed */
async function takingTurns(servers: readonly Server[], env: NodeJS.ProcessEnv) {
  const running: Running[] = [];
  try {
    for (const server of servers) running.push(await started(server, env));
    // Until what runs often is compiled.
    for (const { url } of running) load(url, seconds.warming);
    const sums = running.map(() => ({ requests: 0, cpu: 0 }));
    for (let turn = 0; turn < turns; turn += 1) {
      for (const [index, { server, url }] of running.entries()) {
        const before = cpuSeconds(server);
        const requests = load(url, seconds.turn) * seconds.turn;
        const { [index]: sum } = sums;
        if (sum === undefined) continue;
        sum.requests += requests;
        sum.cpu += cpuSeconds(server) - before;
      }
    }
    return sums;
  } finally {
    for (const { server } of running) await stopServer(server);
  }
}

/**
 * @param folder stays for the next run
 * @param installed packages with their versions
 * @param programs of `peers/`
 * @returns the folder, with both
 */
export function installPeers(folder: string, installed: readonly string[], programs: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  runProgram(['npm', 'install', '--no-audit', '--no-fund', '--legacy-peer-deps', ...installed], folder);
  for (const name of programs) copyFileSync(path.join(sources, name), path.join(folder, name));
  return folder;
}

/**
 * @param folder of a service that is built
 * @returns it, and the small route as a second process of it
 */
export function withHello(folder: string): Pick<Server, 'folder' | 'main'> {
  const main = 'dist/cmd/bench/main.js';
  mkdirSync(path.join(folder, path.dirname(main)), { recursive: true });
  copyFileSync(path.join(sources, 'service.mjs'), path.join(folder, main));
  return { folder, main };
}

interface Running {
  readonly server: ChildProcess;
  readonly url: string;
}

async function started(
  { name, folder, main, route = '/hello', env: own }: Server,
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${route}`;
  const server = startServer(folder, main, { ...env, ...own, PORT: String(port) });
  try {
    await reply(url, server, (_, status) => status === 200);
    return { server, url };
  } catch (error) {
    await stopServer(server);
    throw new Error(`${name} cannot be measured`, { cause: error });
  }
}

/** @returns requests per second */
function load(url: string, duration: number): number {
  const args = ['-c', '1', 'wrk', '-t1', `-c${connections}`, `-d${duration}s`, url];
  const { stdout } = spawnSync('taskset', args, { encoding: 'utf8' });
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  if (rate === undefined || stdout.includes('Non-2xx')) throw new Error(stdout);
  return Number(rate);
}
