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
  /** Its number, from 1: the label `worker` of its metrics. */
  readonly slot: number;
  readonly pid: number;
  /** Base URL of its admin port. */
  readonly admin: string;
  readonly exited: Promise<Exit>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/**
 * @param slot number of the worker
 * @param env settings of all workers, in addition to those of this process
 * @returns a new worker, which shares the API's port with the others and has an admin port of its own
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
  readonly fork: (slot: number) => Promise<Worker>;
  /** Asks a worker on its admin port; false also when it does not answer. */
  readonly probe: (worker: Worker, path: '/startupz' | '/readyz') => Promise<boolean>;
  readonly log: Logger;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Milliseconds that a new worker may take to be ready in a rolling restart. */
  readonly startMs: number;
  /** Milliseconds after which a worker that does not stop is killed. */
  readonly stopMs: number;
}

/** Keeps a number of workers running. Replaces crashed workers, and on request all workers, one after another. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Workers that serve or start. */
  readonly #workers = new Set<Worker>();
  readonly #serving = new Set<Worker>();
  readonly #retiring = new Set<Worker>();
  /** Numbers in use. */
  readonly #slots = new Set<number>();
  readonly #stopping = new AbortController();
  #started = false;
  #rolling = false;
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
    return [...this.#serving];
  }

  get phase(): 'starting' | 'ready' | 'stopping' {
    if (this.#stopping.signal.aborted) return 'stopping';
    return this.#started ? 'ready' : 'starting';
  }

  /**
   * @returns when every worker has started
   * @throws {Error} when one has ended instead: the others would end as well
   */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#launch()));
    this.#started = true;
  }

  /**
   * Replaces all workers, one after another. An old worker stops when its successor is ready. When a successor does not become ready, the
   * restart is abandoned and the other old workers stay.
   * @returns whether all were replaced
   */
  async roll(): Promise<boolean> {
    const { log } = this.#options;
    if (this.#rolling || this.phase !== 'ready') {
      log.warn({ phase: this.phase }, 'no rolling restart: another one is in progress, or the service is not ready');
      return false;
    }
    this.#rolling = true;
    try {
      for (const old of this.workers) {
        if (!this.#serving.has(old)) continue;
        await this.#launchReady();
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
    for (const worker of this.#workers) worker.kill(signal);
  }

  /**
   * Stops all workers.
   * @param signal that stops them; undefined when they have got one
   * @returns whether all ended as expected
   */
  async stop(signal: NodeJS.Signals | undefined): Promise<boolean> {
    this.#stopping.abort();
    const left = [...this.#workers, ...this.#retiring];
    if (signal !== undefined) this.signal(signal);
    const exits = await Promise.all(left.map((worker) => this.#end(worker)));
    // A worker that has just started does not handle the signal yet.
    return exits.every((exit) => exit.code === 0 || exit.signal === 'SIGTERM');
  }

  async #launch(): Promise<Worker> {
    const { fork, log, metrics } = this.#options;
    const slot = this.#takeSlot();
    const worker = await fork(slot).catch((error: unknown) => {
      this.#slots.delete(slot);
      throw error;
    });
    this.#workers.add(worker);
    log.info({ worker: worker.slot, workerPid: worker.pid }, 'worker started');
    void worker.exited.then((exit) => this.#ended(worker, exit));
    await this.#waitFor(worker, '/startupz', Infinity);
    this.#serving.add(worker);
    metrics.workers.set(this.#serving.size);
    return worker;
  }

  async #launchReady(): Promise<void> {
    const worker = await this.#launch();
    try {
      await this.#waitFor(worker, '/readyz', this.#options.startMs);
    } catch (error) {
      await this.#retire(worker);
      throw error;
    }
  }

  async #retire(worker: Worker): Promise<void> {
    // It has ended already.
    if (!this.#workers.delete(worker)) return;
    this.#serving.delete(worker);
    this.#retiring.add(worker);
    worker.kill('SIGTERM');
    await this.#end(worker);
  }

  /** Waits for a worker that is stopping. */
  async #end(worker: Worker): Promise<Exit> {
    const timer = setTimeout(() => worker.kill('SIGKILL'), this.#options.stopMs);
    try {
      return await worker.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  #ended(worker: Worker, exit: Exit): void {
    const { log, metrics } = this.#options;
    const isExpected = this.#retiring.delete(worker) || this.phase === 'stopping';
    this.#workers.delete(worker);
    this.#serving.delete(worker);
    this.#slots.delete(worker.slot);
    metrics.workers.set(this.#serving.size);
    metrics.exits.inc({ expected: String(isExpected) });
    log[isExpected ? 'info' : 'error']({ worker: worker.slot, workerPid: worker.pid, ...exit }, 'worker ended');
    if (!isExpected && this.#started) this.#replace();
  }

  #replace(): void {
    const now = performance.now();
    this.#crashes = now - this.#lastCrash > calmMs ? 1 : this.#crashes + 1;
    this.#lastCrash = now;
    if (this.#pause !== undefined) return;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#crashes - 1));
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#fill();
    }, pauseMs).unref();
  }

  /** Starts missing workers. The predecessor of a successor still counts. */
  #fill(): void {
    if (this.phase === 'stopping') return;
    // A number is in use before its worker has started.
    const there = this.#slots.size - this.#retiring.size;
    for (let missing = this.#options.count - there; missing > 0; missing -= 1) {
      // `#ended` handles a worker that ends again.
      void this.#launch().catch(() => undefined);
    }
  }

  async #waitFor(worker: Worker, path: '/startupz' | '/readyz', ms: number): Promise<void> {
    const end = performance.now() + ms;
    let exit: Exit | undefined;
    void worker.exited.then((how) => (exit = how));
    for (;;) {
      const isDone = await this.#options.probe(worker, path);
      // It may have ended after its answer.
      if (exit !== undefined) throw new Error(`worker ${worker.slot} ended before it was ready`, { cause: exit });
      if (isDone) return;
      if (performance.now() > end) throw new Error(`worker ${worker.slot} was not ready within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
    }
  }

  /** Reserves the lowest free number. */
  #takeSlot(): number {
    let slot = 1;
    while (this.#slots.has(slot)) slot += 1;
    this.#slots.add(slot);
    return slot;
  }
}
