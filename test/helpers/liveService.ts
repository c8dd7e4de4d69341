import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A service that was started as users start it. It is killed when it goes out of scope and still runs. */
export interface LiveService extends AsyncDisposable {
  readonly origin: string;
  readonly admin: string;
  /** Sends SIGTERM and waits. Returns the exit code; null when the service had to be killed. */
  readonly stop: () => Promise<number | null>;
  readonly output: () => string;
}

/**
 * Starts a service with `npm start` on free ports and waits until it is ready.
 * @param cwd the service's folder
 * @param command the command that starts it
 * @param env variables in addition to the present environment
 * @returns the running service
 * @throws Error with its output when it is not ready within 60 seconds
 */
export async function startService(
  cwd: string,
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<LiveService> {
  const [port, adminPort, grpcPort] = [await freePort(), await freePort(), await freePort()];
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: {
      ...process.env,
      GRPC_PORT: String(grpcPort),
      ...env,
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
    },
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  child.stderr.on('data', (chunk) => (text += String(chunk)));
  const admin = `http://127.0.0.1:${adminPort}`;
  await ready(`${admin}/readyz`, child, () => text);
  return {
    origin: `http://127.0.0.1:${port}`,
    admin,
    stop: () => stop(child),
    output: () => text,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await stop(child);
    },
  };
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300 && child.exitCode === null; attempt += 1) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await sleep(200);
  }
  child.kill('SIGKILL');
  throw new Error(`the service is not ready\n${output()}`);
}

async function stop(child: ChildProcess): Promise<number | null> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [code] = await exited;
  clearTimeout(timer);
  return typeof code === 'number' ? code : null;
}

/** @returns a TCP port that nothing listens on */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  // A TCP server has an address of this type.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The result of a load test. */
export interface Load {
  answered: number;
  failed: number;
}

/**
 * Imitates a load balancer, which stops sending when the service reports that it is not ready.
 * @param live the service
 * @returns a function that returns whether the service has reported this
 */
export function leaves({ admin }: Pick<LiveService, 'admin'>): () => boolean {
  let left = false;
  const watch = setInterval(() => {
    void fetch(`${admin}/readyz`).then(
      ({ ok }) => (left ||= !ok),
      () => (left = true),
    );
  }, 100);
  return () => {
    if (left) clearInterval(watch);
    return left;
  };
}

/**
 * Sends requests until `until` returns true.
 * @param url the URL to request
 * @param connections the number of parallel requests
 * @param until returns true at the end
 * @param headers headers of each request
 * @param pauseMs pause (ms) of each connection between two requests, so that fast failures do not cause more requests
 * @returns the number of requests with a successful answer, and of all others
 */
export async function load(
  url: string,
  connections: number,
  until: () => boolean,
  headers: Readonly<Record<string, string>> = {},
  pauseMs = 0,
): Promise<Load> {
  const result: Load = { answered: 0, failed: 0 };
  const worker = async (): Promise<void> => {
    while (!until()) {
      const isAnswered = await fetch(url, { headers }).then(
        async (response) => (await response.text()) !== '' && response.ok,
        () => false,
      );
      result[isAnswered ? 'answered' : 'failed'] += 1;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return result;
}
