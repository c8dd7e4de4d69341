import type { Static, TObject } from 'typebox';
import { finishDetachedWork, giveUpDetachedWork } from '../../../pkg/context/index.ts';
import type { Logger } from '../log/logger.ts';
import type { Health, Lifecycle, Module, ModuleContext, Phase, Running } from './module.ts';

/** Work that was still going on when its time was up. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Runs work under a time limit.
 * @param what names the work in the error
 * @param ms milliseconds it may take
 * @param work gets a signal that aborts when the time is up
 * @returns what the work gives
 * @throws {DeadlineError} at the limit, whether or not the work heeds the signal; otherwise what the work throws
 */
export async function withDeadline<Value>(
  what: string,
  ms: number,
  work: (signal: AbortSignal) => Value | Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  // Not AbortSignal.timeout: its timer does not keep the process alive.
  const timer = setTimeout(() => {
    const error = new DeadlineError(`${what} took longer than ${Math.round(ms)} ms`);
    controller.abort(error);
    reject(error);
  }, ms);
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param module one of the list
 * @param modules all modules of the service
 * @returns what must have started before it: what it names itself, and what completes any of that
 */
export function requirementsOf({ requires, completes }: Module, modules: readonly Module[]): Module[] {
  const completing = modules.filter((other) => other.completes !== undefined && requires.includes(other.completes));
  return [...requires, ...(completes === undefined ? [] : [completes]), ...completing];
}

/**
 * Puts modules into an order in which each comes after what it requires; otherwise the given order stays.
 * @param modules a list of modules that requires nothing outside itself
 * @returns the same modules, dependencies first
 * @throws {Error} on two modules of one name, a missing requirement, or a cycle
 */
export function inOrder(modules: readonly Module[]): Module[] {
  const names = new Set<string>();
  for (const { name } of modules) {
    if (names.has(name)) throw new Error(`Two modules are called "${name}"`);
    names.add(name);
  }

  const ordered = new Set<Module>();
  const visit = (module: Module, path: readonly Module[]): void => {
    if (ordered.has(module)) return;
    if (path.includes(module)) {
      const cycle = [...path.slice(path.indexOf(module)), module].map(({ name }) => name);
      throw new Error(`Modules require each other: ${cycle.join(' → ')}`);
    }
    for (const required of requirementsOf(module, modules)) {
      if (!modules.includes(required)) {
        throw new Error(`Module "${module.name}" requires "${required.name}", which is not in the list of modules`);
      }
      visit(required, [...path, module]);
    }
    ordered.add(module);
  };
  for (const module of modules) visit(module, []);
  return [...ordered];
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

/** Of the time to stop, how much of what is left goes to starts that have been told to give up, and then to draining. */
const shares = { givingUp: 0.25, draining: 0.75 };

/** The modules of one service: each starts when those it requires have started, and they stop in reverse order. */
export class Service implements Lifecycle {
  readonly #modules: readonly Module[];
  readonly #options: ServiceOptions;
  readonly #starting = new Map<Module, Promise<unknown>>();
  readonly #started = new Map<Module, Running<unknown>>();
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
    const entries = this.#running().map(async ({ module, running: { health } }): Promise<[string, Health][]> => {
      if (health === undefined) return [];
      try {
        await withDeadline('health check', timeoutMs, health);
        return [[module.name, 'ok']];
      } catch (error) {
        return [[module.name, { error: error instanceof Error ? error.message : String(error) }]];
      }
    });
    return Object.fromEntries((await Promise.all(entries)).flat());
  }

  /** What a developer can open in a browser, by name, of all modules. */
  links(): Record<string, string> {
    return Object.fromEntries(this.#running().flatMap(({ running }) => Object.entries(running.links?.() ?? {})));
  }

  /**
   * Starts every module, those that do not require each other side by side, then lets each begin to accept work.
   * @throws what a module throws, or a DeadlineError; the other starts are told to give up, and the caller unwinds with `stop`
   */
  start(): Promise<void> {
    this.#start = this.#startAll();
    return this.#start;
  }

  /**
   * Lets every running module take up what has changed, one after another; one that fails does not keep the others.
   * @returns whether all of them did
   */
  async reload(): Promise<boolean> {
    let reloaded = true;
    for (const each of this.#running()) {
      reloaded = (await this.#attempt(each, 'reload', this.#options.startTimeoutMs)) && reloaded;
    }
    return reloaded;
  }

  /**
   * Drains every module, waits for detached work, then stops the modules in reverse order; one that fails or is late does not
   * keep the others.
   * @param delayMs how long to go on serving first, if the service was ready; readiness already fails
   * @param timeoutMs milliseconds for all of it, the delay included
   * @returns whether every module ended without an error and in time, and detached work with them
   */
  async stop(delayMs: number, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    const wasReady = this.#phase === 'ready';
    this.#phase = 'stopping';
    this.#stopping.abort(new Error('the service is stopping'));
    // Whoever started the service hears of its failure; here it only has to be over.
    await this.#start?.catch(() => undefined);
    let clean = await this.#giveUpStarts(timeoutMs * shares.givingUp);
    if (wasReady && delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));

    const begun = performance.now();
    const drainMs = (end - begun) * shares.draining;
    const drained = await Promise.all(this.#running().map((each) => this.#attempt(each, 'drain', drainMs)));
    clean = drained.every(Boolean) && clean;
    // What requests have left behind uses modules: these stop after it.
    clean = (await this.#finishDetached(begun + drainMs - performance.now())) && clean;
    for (const each of this.#running().toReversed()) {
      // What is left is shared evenly among those still to stop.
      const ms = (end - performance.now()) / this.#started.size;
      this.#started.delete(each.module);
      clean = (await this.#attempt(each, 'stop', ms)) && clean;
    }
    return clean;
  }

  async #startAll(): Promise<void> {
    const starts = new Map<Module, Promise<void>>();
    for (const module of this.#modules) {
      // They come before it in the order.
      const requirements = requirementsOf(module, this.#modules);
      const required = Promise.all(requirements.map(async (each) => starts.get(each)));
      starts.set(module, this.#startAfter(required, module));
    }
    try {
      await Promise.all(starts.values());
      for (const { module, running } of this.#running()) {
        const { serve } = running;
        if (serve !== undefined) await this.#within(`${module.name}: serve`, serve);
      }
    } catch (error) {
      this.#stopping.abort(error);
      throw error;
    }
    this.#phase = 'ready';
  }

  async #startAfter(required: Promise<unknown>, module: Module): Promise<void> {
    await required;
    await this.#within(`${module.name}: start`, () => {
      const launch = this.#launch(module);
      const over = launch.catch(() => undefined).finally(() => this.#starting.delete(module));
      this.#starting.set(module, over);
      return launch;
    });
  }

  /** Also a start that nobody waits for any more leaves something to stop, if it ends after all. */
  async #launch(module: Module): Promise<void> {
    this.#started.set(module, await module.start(this.#contextOf(module)));
  }

  /** Waits for starts that have been told to give up: what they leave is stopped like all else. */
  async #giveUpStarts(ms: number): Promise<boolean> {
    if (this.#starting.size === 0) return true;
    try {
      await withDeadline('start', ms, () => Promise.all(this.#starting.values()));
      return true;
    } catch {
      const modules = Array.from(this.#starting.keys(), ({ name }) => name);
      this.#options.log.error({ modules }, 'start abandoned: it did not heed its signal');
      return false;
    }
  }

  /** Waits for detached work, then gives it up. */
  async #finishDetached(ms: number): Promise<boolean> {
    try {
      await withDeadline('detached work', Math.max(ms, 0), finishDetachedWork);
      return true;
    } catch {
      const work = Array.from(giveUpDetachedWork(), ([name, pieces]) => ({ name, pieces }));
      this.#options.log.error({ work }, 'detached work given up');
      return false;
    }
  }

  /** The modules that have started, dependencies first. */
  #running(): Started[] {
    return this.#modules.flatMap((module) => {
      const running = this.#started.get(module);
      return running === undefined ? [] : [{ module, running }];
    });
  }

  #contextOf(module: Module): ModuleContext<Static<TObject>> {
    const { log, configOf } = this.#options;
    return {
      config: configOf(module),
      log: log.child({ module: module.name }),
      signal: this.#stopping.signal,
      lifecycle: this,
      use: (required) => {
        if (!module.requires.includes(required) && module.completes !== required) {
          throw new Error(`Module "${module.name}" uses "${required.name}" without requiring it`);
        }
        return valueOf(required, this.#running());
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

  async #attempt({ module, running }: Started, step: 'reload' | 'drain' | 'stop', ms: number): Promise<boolean> {
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
