import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../helpers/liveService.ts';
import type { Measurement } from './measurement.ts';
import { cpuSeconds, residentBytes, startServer, stopServer } from './process.ts';
import { runProgram } from './sample.ts';
import { rateTable } from './table.ts';

const sources = path.join(import.meta.dirname, 'peers');
const rounds = 5;
const seconds = 4;
const echoing = 50;
const holding = 10_000;
const broadcasts = 20;
const redis = 'redis://127.0.0.1:6379/9';

/** Who answers: a program of `peers/`, and what it does. */
const echoes = {
  Bare: 'bare ws, the bytes sent back',
  ByHand: 'bare ws, the same envelope read and answered by hand',
  Service: 'module websocket: envelope and payload validated, context, histogram, an answer',
};

/** A program on one core, its standard output at hand. */
type Program = ChildProcessByStdio<Writable, Readable, null>;

/** The module websocket: echo against bare ws, ten thousand connections, and a restart under load. */
export const websocket: Measurement = {
  title: 'WebSocket',
  async lacks() {
    const tools = spawnSync('which', ['taskset']).status === 0 ? [] : ['taskset'];
    const cores = os.availableParallelism() < 2 ? ['second core'] : [];
    return [...tools, ...cores, ...((await answers(6379)) ? [] : ['Redis at 127.0.0.1:6379'])];
  },
  async measure({ cache, slipway }) {
    const service = layDown(slipway(), cache);
    return [await echo(service), await crowd(service), await restart(service)].join('\n\n');
  },
};

function layDown(slipway: string, cache: string): string {
  const folder = path.join(cache, 'websocket');
  rmSync(folder, { recursive: true, force: true });
  runProgram([process.execPath, slipway, folder, '--yes', '--no-git', '--no-install', '--modules', 'websocket'], cache);
  runProgram(['npm', 'install', '--no-audit', '--no-fund'], folder);
  runProgram(['npm', 'run', 'build'], folder);
  mkdirSync(path.join(folder, 'dist/cmd/bench'), { recursive: true });
  for (const name of ['Bare', 'ByHand', 'Service', 'Load', 'Restart'])
    copyFileSync(path.join(sources, `websocket${name}.mjs`), path.join(folder, `dist/cmd/bench/${name}.mjs`));
  return folder;
}

async function echo(folder: string): Promise<string> {
  const names = Object.keys(echoes);
  const rates = names.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, name] of names.entries()) {
      const { port, server } = await serve(folder, name);
      const load = async (): Promise<number> =>
        Number(await lineOf(run(folder, 'Load', '1', ['echo', String(port), String(echoing), String(seconds)])));
      // Until what runs often is compiled.
      await load();
      const before = cpuSeconds(server);
      const answered = await load();
      rates[index]?.push(answered / (cpuSeconds(server) - before));
      await stopServer(server);
    }
  }
  return [
    `### WebSocket echo: ${echoing} connections, four messages of 170 bytes in flight on each: messages for each second that the server computes, once it is warm`,
    rateTable('messages/CPU-s', Object.values(echoes), rates),
  ].join('\n\n');
}

async function crowd(folder: string): Promise<string> {
  const { port, server } = await serve(folder, 'Service');
  const before = residentBytes(server);
  const load = run(folder, 'Load', '1', ['hold', String(port), String(holding)]);
  const lines = createInterface(load.stdout)[Symbol.asyncIterator]();
  await lines.next();
  await sleep(2000);
  const perConnection = (residentBytes(server) - before) / holding;
  for (let number = 0; number < broadcasts; number += 1) {
    await fetch(`http://127.0.0.1:${port}/publish?number=${number}`);
    await sleep(1000);
  }
  load.stdin.end();
  const latencies = numbersOf(String((await lines.next()).value));
  await stopServer(server);
  if (latencies['count'] !== holding * broadcasts) throw new Error(`${latencies['count']} messages arrived`);
  const ms = (name: string): string => `${latencies[name]?.toFixed(1)} ms`;
  return [
    `### ${holding} WebSocket connections to one instance, each subscribed to one topic`,
    '',
    '| what | value |',
    '| --- | --- |',
    `| memory of the server for each connection (resident, kernel buffers not counted) | ${(perConnection / 1024).toFixed(1)} KiB |`,
    `| from publishing to arrival, ${broadcasts} broadcasts: median | ${ms('p50')} |`,
    `| 99th percentile | ${ms('p99')} |`,
    `| the last of all | ${ms('most')} |`,
  ].join('\n');
}

/** By each signal once: clients send and listen, while the server dies and comes back. */
async function restart(folder: string): Promise<string> {
  const rows: string[] = [];
  const port = await freePort();
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const first = await serve(folder, 'Service', port, redis);
    const load = run(folder, 'Restart', '1', [String(port), '100', '20']);
    const lines = createInterface(load.stdout)[Symbol.asyncIterator]();
    await lines.next();
    await stopServer(first.server, signal);
    const second = await serve(folder, 'Service', port, redis);
    const { unacknowledged, missed, gaps, published } = numbersOf(String((await lines.next()).value));
    await stopServer(second.server);
    rows.push(`| ${signal} | ${published} | ${unacknowledged} | ${(published ?? 0) * 100} | ${missed} | ${gaps} |`);
  }
  return [
    '### A restart under load: 100 clients that send and subscribe, with Redis',
    '',
    '| signal | messages sent | never acknowledged | deliveries due | missed | losses reported |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

interface Served {
  readonly port: number;
  readonly server: ChildProcess;
}

async function serve(folder: string, name: string, port?: number, redisUrl = ''): Promise<Served> {
  const at = port ?? (await freePort());
  const server = startServer(folder, `dist/cmd/bench/${name}.mjs`, {
    HOST: '127.0.0.1',
    PORT: String(at),
    ADMIN_PORT: '0',
    REDIS_URL: redisUrl,
    SHUTDOWN_DELAY_MS: '0',
    WEBSOCKET_DRAIN_MS: '500',
    WEBSOCKET_MESSAGES_PER_SECOND: '1000000',
  });
  for (let tries = 0; !(await answers(at)); tries += 1) {
    if (tries > 400) throw new Error(`${name} does not listen`);
    await sleep(50);
  }
  return { port: at, server };
}

function run(folder: string, name: string, core: string, args: readonly string[]): Program {
  return spawn('taskset', ['-c', core, process.execPath, `dist/cmd/bench/${name}.mjs`, ...args], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function lineOf(program: Program): Promise<string> {
  const { value } = await createInterface(program.stdout)[Symbol.asyncIterator]().next();
  return String(value);
}

function numbersOf(text: string): Partial<Record<string, number>> {
  const parsed: unknown = JSON.parse(text);
  return Object.fromEntries(Object.entries(Object(parsed)).map(([name, value]) => [name, Number(value)]));
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
