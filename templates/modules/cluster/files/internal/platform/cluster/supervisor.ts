import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Logger } from '../log/logger.ts';

/** Milliseconds between two probes of a starting worker. */
const probeEveryMs = 50;
/** Milliseconds before a crashed worker is replaced; doubled after each further crash. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Milliseconds without a crash after which the pause is short again. */
const calmMs = 60_000;

/** How a worker ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that runs the service. */
export interface Worker {
  /** Its number, from 1, which no later worker gets: the label `worker` of its metrics. */
  readonly id: number;
  readonly pid: number;
  /** Base URL of its admin port. */
  readonly admin: string;
  readonly exited: Promise<Exit>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/**
 * @param env settings of all workers, in addition to those of this process
 * @returns a new worker, which shares the API's port with the others and has an admin port of its own
 */
export async function forkWorker(env: Readonly<Record<string, string>>): Promise<Worker> {
  const port = await freePort();
  const worker = cluster.fork({ ...env, ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port) });
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }));
  // The channel to it may break while it ends.
  worker.on('error', () => undefined);
  return {
    id: worker.id,
    pid: worker.process.pid ?? 0,
    admin: `http://127.0.0.1:${port}`,
    exited,
    kill: (signal) => void worker.process.kill(signal),
  };
}

/** With port 0, Node would give all workers the same admin port (https://nodejs.org/api/cluster.html). */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/**
 * @param registry that exposes the metrics
 * @returns the metrics of the workers
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    workers: new Gauge({ name: 'cluster_workers', help: 'Workers that serve', registers }),
    exits: new Counter({
      name: 'cluster_worker_exits_total',
      help: 'Workers that ended; expected are those that the supervisor stopped',
      labelNames: ['expected'],
      registers,
    }),
  };
}

export interface SupervisorOptions {
  /** Number of workers. */
  readonly count: number;
  readonly fork: () => Promise<Worker>;
  /** Asks a worker on its admin port; false also when it does not answer. */
  readonly probe: (worker: Worker, path: '/startupz' | '/readyz') => Promise<boolean>;
  readonly log: Logger;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Milliseconds that a new worker may take to be ready in a rolling restart. */
  readonly startMs: number;
  /** Milliseconds after which a worker that does not stop is killed. */
  readonly stopMs: number;
}

/** `starting` workers may have begun to serve already; `stopping` ones still finish requests. */
type State = 'starting' | 'serving' | 'stopping';

/** Keeps a number of workers running. Replaces crashed workers, and on request all workers, one after another. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Map<Worker, State>();
  #phase: 'starting' | 'ready' | 'stopping' = 'starting';
  /** Workers that do not exist yet, but will. */
  #forking = 0;
  #rolling = false;
  /** Crashes without a calm time between them. */
  #crashes = 0;
  #lastCrash = -Infinity;
  /** Runs until crashed workers are replaced. */
  #pause: NodeJS.Timeout | undefined;

  /** @param options number of workers, and how they are started and asked */
  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Workers that serve: neither starting nor stopping. */
  get workers(): readonly Worker[] {
    return [...this.#workers].filter(([, state]) => state === 'serving').map(([worker]) => worker);
  }

  get phase(): 'starting' | 'ready' | 'stopping' {
    return this.#phase;
  }

  /**
   * @returns when every worker has started
   * @throws {Error} when one has ended instead: the others would end as well
   */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#launch('/startupz', Infinity)));
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /**
   * Replaces all workers, one after another. An old worker stops when its successor is ready. When a successor does not become ready, the
   * restart is abandoned and the other old workers stay.
   * @returns whether all were replaced
   */
  async roll(): Promise<boolean> {
    const { log, startMs } = this.#options;
    if (this.#rolling || this.#phase !== 'ready') {
      log.warn({ phase: this.#phase }, 'no rolling restart: another one is in progress, or the service is not ready');
      return false;
    }
    this.#rolling = true;
    try {
      for (const old of this.workers) {
        // It has crashed meanwhile.
        if (!this.#workers.has(old)) continue;
        await this.#launch('/readyz', startMs);
        await this.#retire(old);
      }
      log.info('rolling restart done');
      return true;
    } catch (err) {
      log.error({ err }, 'rolling restart abandoned: the remaining workers stay');
      return false;
    } finally {
      this.#rolling = false;
      // A worker that crashed meanwhile was not missing while a successor and its predecessor both ran.
      this.#fill();
    }
  }

  /** @param signal that every worker gets */
  signal(signal: NodeJS.Signals): void {
    for (const worker of this.#workers.keys()) worker.kill(signal);
  }

  /**
   * Stops all workers.
   * @param signal that stops them; undefined when they have got one
   * @returns whether all ended as expected
   */
  async stop(signal: NodeJS.Signals | undefined): Promise<boolean> {
    this.#phase = 'stopping';
    const exits = await Promise.all(
      Array.from(this.#workers, ([worker, state]) =>
        // A second signal would end it at once, with the requests that it still answers.
        this.#stop(worker, state === 'stopping' ? undefined : signal),
      ),
    );
    // A worker that has just started does not handle the signal yet.
    return exits.every((exit) => exit.code === 0 || exit.signal === 'SIGTERM');
  }

  /** Starts a worker, and waits until its admin port says that it has started, or is ready. */
  async #launch(path: '/startupz' | '/readyz', ms: number): Promise<void> {
    this.#forking += 1;
    const worker = await this.#options.fork().finally(() => (this.#forking -= 1));
    this.#workers.set(worker, 'starting');
    this.#options.log.info({ worker: worker.id, workerPid: worker.pid }, 'worker started');
    void worker.exited.then((exit) => this.#ended(worker, exit));
    try {
      await this.#waitFor(worker, path, ms);
    } catch (error) {
      await this.#retire(worker);
      throw error;
    }
    this.#set(worker, 'serving');
  }

  async #waitFor(worker: Worker, path: '/startupz' | '/readyz', ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (;;) {
      const isDone = await this.#options.probe(worker, path);
      // It may have ended after its answer.
      if (!this.#workers.has(worker)) throw new Error(`worker ${worker.id} ended before it was ready`);
      if (isDone) return;
      if (performance.now() > end) throw new Error(`worker ${worker.id} was not ready within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
    }
  }

  async #retire(worker: Worker): Promise<void> {
    // It has ended already.
    if (!this.#workers.has(worker)) return;
    this.#set(worker, 'stopping');
    await this.#stop(worker, 'SIGTERM');
  }

  async #stop(worker: Worker, signal: NodeJS.Signals | undefined): Promise<Exit> {
    if (signal !== undefined) worker.kill(signal);
    const timer = setTimeout(() => worker.kill('SIGKILL'), this.#options.stopMs);
    return worker.exited.finally(() => clearTimeout(timer));
  }

  #ended(worker: Worker, exit: Exit): void {
    const { log, metrics } = this.#options;
    const isExpected = this.#workers.get(worker) === 'stopping' || this.#phase === 'stopping';
    this.#set(worker, undefined);
    metrics.exits.inc({ expected: String(isExpected) });
    log[isExpected ? 'info' : 'error']({ worker: worker.id, workerPid: worker.pid, ...exit }, 'worker ended');
    if (isExpected || this.#phase === 'starting') return;
    const now = performance.now();
    this.#crashes = now - this.#lastCrash > calmMs ? 0 : this.#crashes + 1;
    this.#lastCrash = now;
    if (this.#pause !== undefined) return;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#crashes);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#fill();
    }, pauseMs).unref();
  }

  #set(worker: Worker, state: State | undefined): void {
    if (state === undefined) this.#workers.delete(worker);
    else this.#workers.set(worker, state);
    this.#options.metrics.workers.set(this.workers.length);
  }

  /** Starts missing workers. The predecessor of a successor still counts. */
  #fill(): void {
    if (this.#phase === 'stopping') return;
    const present = [...this.#workers.values()].filter((state) => state !== 'stopping').length;
    for (let missing = this.#options.count - present - this.#forking; missing > 0; missing -= 1) {
      // `#ended` handles a worker that ends again.
      void this.#launch('/startupz', Infinity).catch(() => undefined);
    }
  }
}
