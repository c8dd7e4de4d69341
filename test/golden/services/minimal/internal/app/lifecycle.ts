import type { Static, TObject } from 'typebox';
import type { Logger } from '../log/logger.ts';
import { withDeadline } from './deadline.ts';
import type { Module, ModuleContext, Running } from './module.ts';
import { inOrder } from './order.ts';

export type Phase = 'starting' | 'ready' | 'stopping';

/** The health of one module: `ok`, or what is wrong. */
export type Health = 'ok' | { readonly error: string };

/** What modules may know of the service as a whole. */
export interface Lifecycle {
  readonly phase: Phase;
  /**
   * Asks every started module that has a health check, all at once.
   * @param timeoutMs milliseconds for each
   * @returns the name of each module asked → its health
   */
  health(timeoutMs: number): Promise<Record<string, Health>>;
}

interface Started {
  readonly module: Module;
  readonly running: Running<unknown>;
}

export interface ServiceOptions {
  readonly log: Logger;
  /** The module's own validated settings. */
  readonly configOf: (module: Module) => Static<TObject>;
  /** Milliseconds that each module may take to start. */
  readonly startTimeoutMs: number;
}

/** The modules of one service: started in the order of their requirements, stopped in reverse. */
export class Service implements Lifecycle {
  readonly #modules: readonly Module[];
  readonly #options: ServiceOptions;
  readonly #started: Started[] = [];
  readonly #stopping = new AbortController();
  #phase: Phase = 'starting';
  #start: Promise<void> | undefined;

  /**
   * @param modules in any order
   * @param options logger, settings and time limits
   * @throws {Error} when the modules cannot be put in order
   */
  constructor(modules: readonly Module[], options: ServiceOptions) {
    this.#modules = inOrder(modules);
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  async health(timeoutMs: number): Promise<Record<string, Health>> {
    const checks = this.#started.flatMap(({ module, running }) => {
      const { health } = running;
      return health === undefined ? [] : [{ name: module.name, health }];
    });
    const entries = checks.map(async ({ name, health }): Promise<[string, Health]> => {
      try {
        await withDeadline('health check', timeoutMs, health);
        return [name, 'ok'];
      } catch (error) {
        return [name, { error: error instanceof Error ? error.message : String(error) }];
      }
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  /**
   * Starts every module, then lets each begin to accept work.
   * @throws what a module throws, or a DeadlineError; the caller unwinds with `stop`
   */
  start(): Promise<void> {
    this.#start = this.#startAll();
    return this.#start;
  }

  /**
   * Drains every module, then stops them in reverse order; a module that fails or is late does not keep the others.
   * @param delayMs how long to go on serving first; readiness already fails
   * @param timeoutMs milliseconds for all of it, the delay included
   * @returns whether every module ended without an error and in time
   */
  async stop(delayMs: number, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    this.#phase = 'stopping';
    this.#stopping.abort(new Error('the service is stopping'));
    // Whoever started the service hears of its failure; here it only has to be over.
    await this.#start?.catch(() => undefined);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));

    // A quarter of what is left is kept for releasing resources, shared evenly among those still to stop.
    const drainMs = (end - performance.now()) * 0.75;
    const drained = await Promise.all(this.#started.map((started) => this.#end(started, 'drain', drainMs)));
    let clean = drained.every(Boolean);
    for (let left = this.#started.length; left > 0; left -= 1) {
      const started = this.#started.pop();
      if (started === undefined) break;
      clean = (await this.#end(started, 'stop', (end - performance.now()) / left)) && clean;
    }
    return clean;
  }

  async #startAll(): Promise<void> {
    for (const module of this.#modules) {
      const running = await this.#within(`${module.name}: start`, () => module.start(this.#contextOf(module)));
      this.#started.push({ module, running });
    }
    for (const { module, running } of this.#started) {
      const { serve } = running;
      if (serve !== undefined) await this.#within(`${module.name}: serve`, serve);
    }
    this.#phase = 'ready';
  }

  #contextOf(module: Module): ModuleContext<Static<TObject>> {
    const { log, configOf } = this.#options;
    return {
      config: configOf(module),
      log: log.child({ module: module.name }),
      signal: this.#stopping.signal,
      lifecycle: this,
      use: (required) => {
        if (!module.requires.includes(required)) {
          throw new Error(`Module "${module.name}" uses "${required.name}" without requiring it`);
        }
        return valueOf(required, this.#started);
      },
    };
  }

  /** Work of the start: under its time limit, and abandoned when the service is told to stop. */
  async #within<Value>(what: string, work: () => Value | Promise<Value>): Promise<Value> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const abandon = (): void => reject(signal.reason);
    signal.addEventListener('abort', abandon);
    try {
      return await withDeadline(what, this.#options.startTimeoutMs, () => Promise.race([work(), stopped]));
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  async #end({ module, running }: Started, step: 'drain' | 'stop', ms: number): Promise<boolean> {
    const work = running[step];
    if (work === undefined) return true;
    try {
      await withDeadline(step, Math.max(ms, 0), work);
      return true;
    } catch (err) {
      this.#options.log.error({ err, module: module.name }, `${step} failed`);
      return false;
    }
  }
}

function valueOf<Value>(module: Module<TObject, Value>, started: readonly Started[]): Value {
  const found = started.find((candidate) => isOf(module, candidate));
  if (found === undefined) throw new Error(`Module "${module.name}" has not started`);
  return found.running.value;
}

/** The list holds modules of every type; what this very module has started is of its type. */
function isOf<Value>(
  module: Module<TObject, Value>,
  started: Started,
): started is Started & { readonly running: Running<Value> } {
  return started.module === module;
}
