import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort, startService } from '../helpers/liveService.ts';
import { serverDatabase } from '../helpers/postgres.ts';
import { offeredModules } from '../helpers/offeredModules.ts';

/** Written into the service, whose own helper of tests it uses. */
const certificate = `
import { writeFileSync } from 'node:fs';
import { testCertificate } from './internal/platform/tls/testing.ts';
const { cert, key } = await testCertificate();
writeFileSync('tls.crt', cert);
writeFileSync('tls.key', key);
`;

/**
 * Calls the service every way there is, until each connection is told to leave, and waits for what is in flight then. Prints
 * `underway`, and at the end what has failed.
 */
const callers = `
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './pkg/client/websocket/index.ts';

const [host, grpcHost, token] = process.argv.slice(2);
const authorization = 'Bearer ' + token;
const answered = { http2: 0, grpc: 0, websocket: 0 };
const failed = [];

async function call(way, isTold, request) {
  try {
    for (; !isTold(); answered[way] += 1) await request();
  } catch (error) {
    failed.push(way + ': ' + error);
  }
}

/** Many requests on one connection, until GOAWAY. */
function byHttp2(way, origin, headers, body) {
  const session = connect(origin);
  const told = once(session, 'goaway');
  let isTold = false;
  session.once('goaway', () => (isTold = true));
  const request = async () => {
    const stream = session.request(headers);
    stream.end(body);
    // What is refused crossed the farewell: nothing has been done for it (RFC 9113, 8.7).
    const head = await once(stream, 'response').then(([received]) => received, (error) => {
      if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) throw error;
    });
    if (head === undefined) return;
    let trailers = { 'grpc-status': '0' };
    stream.on('trailers', (received) => (trailers = received));
    for await (const _ of stream);
    if (head[':status'] !== 200 || trailers['grpc-status'] !== '0') throw new Error(JSON.stringify([head, trailers]));
  };
  return [told, ...Array.from({ length: 5 }, () => call(way, () => isTold, request))];
}

/** The client asks again on another connection what this one has not answered: here there is no other. */
async function byWebSocket() {
  const { promise: lost, resolve } = Promise.withResolvers();
  const socket = new Client({
    url: 'wss://' + host + '/ws',
    token: () => token,
    onState: (state) => state === 'waiting' && resolve(),
  });
  socket.connect();
  let isTold = false;
  const ping = { type: 'ping', version: '1.0', payload: {} };
  const request = () => socket.request(ping).catch((error) => { if (!isTold) throw error; });
  const calling = Array.from({ length: 5 }, () => call('websocket', () => isTold, request));
  await lost;
  isTold = true;
  socket.close();
  await Promise.all(calling);
}

const calling = Promise.all([
  ...byHttp2('http2', 'https://' + host, { ':path': '/items', authorization }),
  ...byHttp2(
    'grpc',
    'http://' + grpcHost,
    { ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers', authorization },
    Buffer.alloc(5),
  ),
  byWebSocket(),
]);
while (failed.length === 0 && Object.values(answered).some((count) => count < 100)) await sleep(20);
console.log('underway');
await calling;
console.log(JSON.stringify({ failed }));
process.exit();
`;

describe('a service with every module', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-everything-'));
  const service = path.join(folder, 'orders');
  const env = {
    PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter),
    CI: 'true',
    NODE_OPTIONS: '',
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
  };
  const run = (program: string, ...args: string[]) => execa(program, args, { cwd: service, env, all: true });

  beforeAll(async () => {
    const program = path.join(inject('installed'), 'node_modules/create-slipway/dist/create-slipway.cjs');
    // With the platform's tests: the one service in which all of them run as its own.
    const flags = ['--yes', '--no-git', '--platform-tests', `--modules=${offeredModules.join(',')}`];
    await execa('node', [program, 'orders', ...flags], { cwd: folder, env });
    await run('npm', 'run', 'build');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('passes its own checks', async () => {
    // It ends the whole group of processes, so that a failure shows how far they came.
    const { all } = await run('timeout', '1100', 'npm', 'run', 'check');
    expect(all).toMatch(/Tests .*passed/);
  });

  it('passes its integration tests against real servers', async ({ skip }) => {
    await using database = await serverDatabase();
    const { REDIS_URL } = process.env;
    skip(database === undefined, 'no PostgreSQL on this machine');
    skip(REDIS_URL === undefined, 'no Redis on this machine');
    const servers = { ...env, DATABASE_URL: database?.url, REDIS_URL };
    const { exitCode } = await execa('npm', ['run', 'test:integration'], { cwd: service, env: servers });
    expect(exitCode).toBe(0);
  });

  it('answers by HTTP/2 over TLS, by gRPC and by WebSocket, and on SIGTERM ends each without a failed call', async () => {
    await run('node', '--input-type=module', '--eval', certificate);
    writeFileSync(path.join(service, 'callers.ts'), callers);
    const grpcPort = await freePort();
    await using live = await startService(service, ['npm', 'start'], {
      ...env,
      TLS_CERT_FILE: 'tls.crt',
      TLS_KEY_FILE: 'tls.key',
      GRPC_PORT: String(grpcPort),
      SHUTDOWN_DELAY_MS: '500',
      WEBSOCKET_DRAIN_MS: '500',
    });
    const { stdout: token } = await run('npm', 'run', '--silent', 'token');
    const args = [new URL(live.origin).host, `127.0.0.1:${grpcPort}`, token];
    const calling = execa('node', ['callers.ts', ...args], {
      cwd: service,
      env: { ...env, NODE_EXTRA_CA_CERTS: 'tls.crt' },
    });
    let stopped: Promise<number | null> | undefined;
    let outcome = '';
    for await (const line of calling) {
      if (line === 'underway') stopped = live.stop();
      else outcome = line;
    }
    expect(await stopped, live.output()).toBe(0);
    expect(outcome).toBe('{"failed":[]}');
  });
});
