import { type ChildProcess, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Stream, connect } from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../helpers/liveService.ts';
import type { Measurement } from './measurement.ts';
import { startServer, stopServer } from './process.ts';
import { runProgram } from './sample.ts';
import { rateTable } from './table.ts';

const sources = path.join(import.meta.dirname, 'peers');
const packages = ['@bufbuild/protobuf@2.17.0', '@grpc/grpc-js@1.14.7'];
// On a machine that others use too, a single round says little.
const rounds = 11;
const seconds = 4;
/** Of the bare server, which has one item. */
const bareId = '00000000-0000-4000-8000-000000000000';
const grpcPath = '/items.v1.ItemService/GetItem';
const grpcHeaders = { 'content-type': 'application/grpc', te: 'trailers' };

/** What is put under load. */
interface Server {
  readonly name: string;
  readonly folder: string;
  readonly main: string;
  /** By gRPC, with h2load; or the service's route of REST, with wrk. */
  readonly by: 'gRPC' | 'REST';
}

/**
 * A unary call under load: the service by gRPC, bare @grpc/grpc-js, and the same item by REST, in turn; the server on one core,
 * the load generator on another.
 */
export const grpc: Measurement = {
  title: 'A unary call by gRPC (h2load), beside the same by REST (wrk)',
  lacks() {
    const tools = ['h2load', 'wrk', 'taskset'].filter((tool) => spawnSync('which', [tool]).status !== 0);
    return os.availableParallelism() < 2 ? [...tools, 'second core'] : tools;
  },
  async measure({ cache, slipway }) {
    const service = layDown(slipway(), path.join(cache, 'grpc-service'));
    const peers = installPeers(path.join(cache, 'grpc'), service);
    const servers: Server[] = [
      { name: 'bare @grpc/grpc-js', folder: peers, main: 'grpc.mjs', by: 'gRPC' },
      { name: 'the service by gRPC, as it comes', folder: service, main: 'dist/cmd/server/main.js', by: 'gRPC' },
      { name: 'the same by REST', folder: service, main: 'dist/cmd/server/main.js', by: 'REST' },
    ];
    const rates = servers.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, server] of servers.entries()) rates[index]?.push(await measure(server, cache));
    }
    return [
      'gRPC: h2load, 10 connections with 10 calls each; REST: wrk, 50 connections; one core for the server and one for the load',
      rateTable(
        'calls/s',
        servers.map(({ name }) => name),
        rates,
      ),
    ].join('\n\n');
  },
};

function layDown(slipway: string, folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.dirname(folder), { recursive: true });
  runProgram(
    [process.execPath, slipway, folder, '--yes', '--no-git', '--no-install', '--modules', 'grpc'],
    path.dirname(folder),
  );
  runProgram(['npm', 'install', '--no-audit', '--no-fund'], folder);
  runProgram(['npm', 'run', 'build'], folder);
  return folder;
}

function installPeers(folder: string, service: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  runProgram(['npm', 'install', '--no-audit', '--no-fund', ...packages], folder);
  cpSync(path.join(service, 'api/gen/items/v1'), path.join(folder, 'contract'), { recursive: true });
  cpSync(path.join(sources, 'grpc.mjs'), path.join(folder, 'grpc.mjs'));
  return folder;
}

/** GetItemRequest with the id as field 1, and the prefix of gRPC. */
function frame(id: string): Buffer {
  const message = Buffer.concat([Buffer.from([0x0a, id.length]), Buffer.from(id)]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** @returns calls per second */
async function measure({ name, folder, main, by }: Server, cache: string): Promise<number> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const env = { ADMIN_PORT: '0', PORT: String(port), GRPC_PORT: String(grpcPort) };
  const server = startServer(folder, main, env);
  try {
    const id = main === 'grpc.mjs' ? bareId : await createItem(port);
    await answers(grpcPort, id, server);
    const request = path.join(cache, 'request.bin');
    writeFileSync(request, frame(id));
    const load = by === 'gRPC' ? () => h2load(grpcPort, request) : () => wrk(port, id);
    load();
    return load();
  } catch (error) {
    throw new Error(`${name} cannot be measured`, { cause: error });
  } finally {
    await stopServer(server);
  }
}

/** Creates the item that is asked for, as soon as the service answers. */
async function createItem(port: number): Promise<string> {
  for (let tries = 0; tries < 300; tries += 1) {
    try {
      const body = JSON.stringify({ name: 'bolt', quantity: 3 });
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`http://127.0.0.1:${port}/items`, { method: 'POST', headers, body });
      const { id } = (await reply.json()) as { id: string };
      return id;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}

function h2load(port: number, request: string): number {
  const headers = Object.entries(grpcHeaders).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = [
    '-t1',
    '-c10',
    '-m10',
    `-D${seconds}`,
    '-d',
    request,
    ...headers,
    `http://127.0.0.1:${port}${grpcPath}`,
  ];
  return rateOf('h2load', args, /finished in [\d.]+s, ([\d.]+) req\/s/, / 0 failed, 0 errored, 0 timeout/);
}

function wrk(port: number, id: string): number {
  const args = ['-t1', '-c50', `-d${seconds}s`, `http://127.0.0.1:${port}/items/${id}`];
  return rateOf('wrk', args, /Requests\/sec:\s+([\d.]+)/, /^(?!.*Non-2xx)/s);
}

function rateOf(program: string, args: readonly string[], pattern: RegExp, good: RegExp): number {
  const { stdout } = spawnSync('taskset', ['-c', '1', program, ...args], { encoding: 'utf8' });
  const [, rate] = pattern.exec(stdout) ?? [];
  if (rate === undefined || !good.test(stdout)) throw new Error(stdout);
  return Number(rate);
}

/** Waits until a call is answered with the item: h2load sees the status of HTTP alone. */
async function answers(port: number, id: string, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300 && server.exitCode === null; tries += 1) {
    if (await isAnswered(port, id)) return;
    await sleep(50);
  }
  throw new Error(`nothing answers on port ${port}`);
}

async function isAnswered(port: number, id: string): Promise<boolean> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const stream: ClientHttp2Stream = session.request({ ':method': 'POST', ':path': grpcPath, ...grpcHeaders });
  const answered = await new Promise<boolean>((resolve) => {
    let body = '';
    stream.on('error', () => resolve(false));
    stream.on('close', () => resolve(false));
    stream.on('data', (chunk) => (body += String(chunk)));
    stream.on('trailers', (trailers) => resolve(trailers['grpc-status'] === '0' && body.includes('bolt')));
    stream.end(frame(id));
  });
  session.destroy();
  return answered;
}
