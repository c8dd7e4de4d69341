import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A service that was started as its users start it; killed when it goes out of scope still running. */
export interface LiveService extends AsyncDisposable {
  readonly origin: string;
  readonly admin: string;
  /** Sends SIGTERM and waits. Gives the exit code; null when it had to be killed. */
  readonly stop: () => Promise<number | null>;
  readonly output: () => string;
}

/**
 * Starts a service with `npm start` on free ports and waits until it is ready.
 * @param cwd the service's folder
 * @param command what starts it
 * @param env variables besides the present ones
 * @returns the running service
 * @throws Error with its output when it is not ready within 60 seconds
 */
export async function startService(
  cwd: string,
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<LiveService> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env, PORT: String(port), ADMIN_PORT: String(adminPort) },
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
  // Listening on TCP, the address is of this form.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** How requests under load went. */
export interface Load {
  answered: number;
  failed: number;
}

/**
 * What a load balancer does: it stops sending once the service says that it is not ready.
 * @param live the service
 * @returns tells whether the service has said so
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
 * Sends requests until it is told to end.
 * @param url what is asked for
 * @param connections how many at a time
 * @param until tells when to end
 * @param headers of each request
 * @param pauseMs milliseconds that each connection rests between two requests: who fails fast sends no more than who answers
 * @returns how many were answered with success, and how many were not
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
