import type { Logger } from '../log/logger.ts';
import type { ClusterMetrics } from './metrics.ts';
import type { Exit, Worker } from './worker.ts';

/** Milliseconds between two looks whether a worker has got so far. */
const lookEvery = 50;
/** Milliseconds to wait before the first new worker after a crash; twice as long before each further one. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Milliseconds without a crash after which pauses begin anew. */
const calmMs = 60_000;

export interface SupervisorOptions {
  /** How many workers there are to be. */
  readonly count: number;
  readonly fork: (slot: number) => Promise<Worker>;
  /** Asks a worker by its admin port; false also when it does not answer. */
  readonly probe: (worker: Worker, path: '/startupz' | '/readyz') => Promise<boolean>;
  readonly log: Logger;
  readonly metrics: ClusterMetrics;
  /** Milliseconds that a new worker may take to be ready in a rolling restart. */
  readonly startMs: number;
  /** Milliseconds after which a worker that was told to stop is killed. */
  readonly stopMs: number;
}

/** Keeps a number of workers running: replaces one that crashes, and all of them, one after another, when asked to. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  /** Those that serve, or are about to. */
  readonly #workers = new Set<Worker>();
  readonly #serving = new Set<Worker>();
  readonly #retiring = new Set<Worker>();
  /** Places that are taken. */
  readonly #slots = new Set<number>();
  readonly #stopping = new AbortController();
  #started = false;
  #rolling = false;
  #crashes = 0;
  #lastCrash = -Infinity;
  /** Until those that have crashed are replaced. */
  #pause: NodeJS.Timeout | undefined;

  /** @param options how many, how they are made and asked */
  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Those that serve: not those that are still starting, or have been told to stop. */
  get workers(): readonly Worker[] {
    return [...this.#serving];
  }

  get phase(): 'starting' | 'ready' | 'stopping' {
    if (this.#stopping.signal.aborted) return 'stopping';
    return this.#started ? 'ready' : 'starting';
  }

  /**
   * @returns when every worker has started
   * @throws {Error} when one has ended instead: what keeps the first from starting keeps all
   */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#launch()));
    this.#started = true;
  }

  /**
   * Replaces all workers, one after another; each old one goes when its successor is ready. A successor that does not get ready ends it,
   * and the old ones stay.
   * @returns whether all were replaced
   */
  async roll(): Promise<boolean> {
    const { log } = this.#options;
    if (this.#rolling || this.phase !== 'ready') {
      log.warn({ phase: this.phase }, 'no rolling restart: one is under way, or the service is not ready');
      return false;
    }
    this.#rolling = true;
    try {
      for (const old of this.workers) {
        if (!this.#serving.has(old)) continue;
        await this.#succeed();
        await this.#retire(old);
      }
      log.info('rolling restart done');
      return true;
    } catch (err) {
      log.error({ err }, 'rolling restart given up: the workers that are left stay');
      return false;
    } finally {
      this.#rolling = false;
      // One that crashed meanwhile was not missing as long as a successor and its old one were both there.
      this.#fill();
    }
  }

  /** @param signal for every worker */
  signal(signal: NodeJS.Signals): void {
    for (const worker of this.#workers) worker.kill(signal);
  }

  /**
   * Stops all workers.
   * @param signal that tells them; undefined when they know
   * @returns whether each ended as it should
   */
  async stop(signal: NodeJS.Signals | undefined): Promise<boolean> {
    this.#stopping.abort();
    const left = [...this.#workers, ...this.#retiring];
    if (signal !== undefined) this.signal(signal);
    const exits = await Promise.all(left.map((worker) => this.#end(worker)));
    // One that has only just begun knows no better than to end by the signal.
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
    await this.#until(worker, '/startupz', Infinity);
    this.#serving.add(worker);
    metrics.workers.set(this.#serving.size);
    return worker;
  }

  async #succeed(): Promise<void> {
    const worker = await this.#launch();
    try {
      await this.#until(worker, '/readyz', this.#options.startMs);
    } catch (error) {
      await this.#retire(worker);
      throw error;
    }
  }

  async #retire(worker: Worker): Promise<void> {
    // It has ended by itself.
    if (!this.#workers.delete(worker)) return;
    this.#serving.delete(worker);
    this.#retiring.add(worker);
    worker.kill('SIGTERM');
    await this.#end(worker);
  }

  /** Waits for the end of a worker that knows of it. */
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

  /** Launches those that are missing: none for the successor of one that still serves. */
  #fill(): void {
    if (this.phase === 'stopping') return;
    // A place is taken before its worker is there.
    const there = this.#slots.size - this.#retiring.size;
    for (let missing = this.#options.count - there; missing > 0; missing -= 1) {
      // One that ends as well is looked after as the first was.
      void this.#launch().catch(() => undefined);
    }
  }

  async #until(worker: Worker, path: '/startupz' | '/readyz', ms: number): Promise<void> {
    const end = performance.now() + ms;
    let exit: Exit | undefined;
    void worker.exited.then((how) => (exit = how));
    for (;;) {
      const isSo = await this.#options.probe(worker, path);
      // Also when it has ended since it gave its answer.
      if (exit !== undefined) throw new Error(`worker ${worker.slot} ended before it was ready`, { cause: exit });
      if (isSo) return;
      if (performance.now() > end) throw new Error(`worker ${worker.slot} was not ready within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, lookEvery));
    }
  }

  /** The lowest that is free. */
  #takeSlot(): number {
    let slot = 1;
    while (this.#slots.has(slot)) slot += 1;
    this.#slots.add(slot);
    return slot;
  }
}
