import { Agent as HttpAgent, get } from 'node:http';
import { Agent as HttpsAgent, get as getByTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** `cmd/cluster`, as scripts/service.ts starts it. */
interface ClusterProcess {
  readonly process: { readonly kill: (signal: NodeJS.Signals) => unknown };
  readonly logged: (message: string) => Promise<unknown>;
  readonly port: (module: string) => number;
}

/** Two workers and no server but what is embedded: a database, say, would have to be prepared before anything is ready. */
export const twoWorkers: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.keys(process.env).flatMap((name) => (name.endsWith('_URL') ? [[name, undefined]] : []))),
  HTTP_WORKERS: '2',
};

/**
 * Replaces all workers while clients send requests over connections that they keep.
 * @param service of two workers
 * @param scheme that it speaks
 * @returns what became of the requests
 */
export async function loadWhileRolling(
  service: ClusterProcess,
  scheme: 'http' | 'https',
): Promise<{ succeeded: number; failures: string[] }> {
  const ending = new AbortController();
  const running = load(`${scheme}://127.0.0.1:${service.port('http')}/version`, ending.signal);
  await sleep(200);
  service.process.kill('SIGUSR2');
  await service.logged('rolling restart done');
  await sleep(200);
  ending.abort();
  return running;
}

async function load(url: string, signal: AbortSignal): Promise<{ succeeded: number; failures: string[] }> {
  const options = { keepAlive: true, maxSockets: 4 };
  const isSecure = url.startsWith('https:');
  const agent = isSecure ? new HttpsAgent({ ...options, rejectUnauthorized: false }) : new HttpAgent(options);
  const seen = { succeeded: 0, failures: [] as string[] };
  const one = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    (isSecure ? getByTls : get)(url, { agent }, (response) => {
      response.resume().once('end', () => resolve());
    }).once('error', reject);
    await promise.then(
      () => (seen.succeeded += 1),
      (error: unknown) => seen.failures.push(String(error)),
    );
  };
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      await one();
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
  agent.destroy();
  return seen;
}
