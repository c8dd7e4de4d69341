import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** How a worker ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One process that runs the service. */
export interface Worker {
  /** Its place among the workers, from 1: metrics are told apart by it. */
  readonly slot: number;
  readonly pid: number;
  /** Base URL of its admin port. */
  readonly admin: string;
  readonly exited: Promise<Exit>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/**
 * @param slot its place
 * @param env settings that all workers share, beyond those of this process
 * @returns a new worker, which shares the API's port with the others, and has an admin port for itself
 */
export async function forkWorker(slot: number, env: Readonly<Record<string, string>>): Promise<Worker> {
  const port = await freePort();
  const worker = cluster.fork({ ...env, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port) });
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }));
  // The channel to it may break while it ends.
  worker.on('error', () => undefined);
  return {
    slot,
    pid: worker.process.pid ?? 0,
    admin: `http://127.0.0.1:${port}`,
    exited,
    kill: (signal) => void worker.process.kill(signal),
  };
}

/** Workers that ask for any port are all given the same one: https://nodejs.org/api/cluster.html. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
