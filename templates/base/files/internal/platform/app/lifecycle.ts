import type { Static, TObject } from 'typebox';
import { finishDetachedWork, giveUpDetachedWork } from '../../../pkg/context/index.ts';
import type { Logger } from '../log/logger.ts';
import type { Health, Lifecycle, Module, ModuleContext, Phase, Running } from './module.ts';

/**
 * Runs work under a time limit.
 * @param what names the work in the error
 * @param ms milliseconds
 * @param work gets a signal that aborts at the limit
 * @returns what `work` returns
 * @throws {Error} at the limit, even when the work ignores the signal; otherwise what `work` throws
 */
export async function withDeadline<Value>(
  what: string,
  ms: number,
  work: (signal: AbortSignal) => Value | Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  // The timer of AbortSignal.timeout would not keep the process alive.
  const timer = setTimeout(() => {
    const error = new Error(`${what} took longer than ${Math.round(ms)} ms`);
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
 * @returns the modules that must start first: the required ones, and those that complete a required one
 */
function requirementsOf({ requires, completes }: Module, modules: readonly Module[]): Module[] {
  const completing = modules.filter((other) => other.completes !== undefined && requires.includes(other.completes));
  return [...requires, ...(completes === undefined ? [] : [completes]), ...completing];
}

/**
 * Sorts modules so that each comes after its requirements; apart from that the order stays.
 * @param modules all modules of the service
 * @returns the same modules, dependencies first
 * @throws {Error} on a duplicate name, a missing requirement, or a cycle
 */
export function inOrder(modules: readonly Module[]): Module[] {
  const ordered = new Map<string, Module>();
  const visit = (module: Module, path: readonly Module[]): void => {
    const { name } = module;
    if (ordered.get(name) === module) return;
    if (ordered.has(name)) throw new Error(`Duplicate module name "${name}"`);
    if (path.includes(module)) {
      const cycle = [...path.slice(path.indexOf(module)), module];
      throw new Error(`Modules require each other: ${cycle.map((each) => each.name).join(' → ')}`);
    }
    for (const required of requirementsOf(module, modules)) {
      if (!modules.includes(required))
        throw new Error(`Module "${name}" requires "${required.name}", which is not in the list of modules`);
      visit(required, [...path, module]);
    }
    ordered.set(name, module);
  };
  for (const module of modules) visit(module, []);
  return [...ordered.values()];
}

export interface ServiceOptions {
  readonly log: Logger;
  /** The module's own validated settings. */
  readonly configOf: (module: Module) => Static<TObject>;
  /** Milliseconds that each module may take to start. */
  readonly startTimeoutMs: number;
}

/** Shares of the time left to stop: for starts that were aborted, then for draining. */
const shares = { abortedStarts: 0.25, draining: 0.75 };

function factsOfDetachedWork(): object {
  return { work: giveUpDetachedWork() };
}

/** The modules of one service. Each starts after its requirements; they stop in reverse order. */
export class Service implements Lifecycle {
  phase: Phase = 'starting';
  readonly #modules: readonly Module[];
  readonly #options: ServiceOptions;
  /** Starts under way. These promises never reject. */
  readonly #starting = new Map<Module, Promise<unknown>>();
  readonly #running = new Map<Module, Running<unknown>>();
  readonly #stopping = new AbortController();

  /**
   * @param modules in any order
   * @param options logger, settings and time limit
   * @throws {Error} when the modules cannot be sorted
   */
  constructor(modules: readonly Module[], options: ServiceOptions) {
    this.#modules = inOrder(modules);
    this.#options = options;
  }

  async health(timeoutMs: number): Promise<Record<string, Health>> {
    const checks = this.#started().map(async ([{ name }, { health }]): Promise<[string, Health][]> => {
      if (health === undefined) return [];
      try {
        return [[name, (await withDeadline('health check', timeoutMs, health)) ?? 'ok']];
      } catch (error) {
        return [[name, { error: error instanceof Error ? error.message : String(error) }]];
      }
    });
    return Object.fromEntries((await Promise.all(checks)).flat());
  }

  /** @returns URLs that a developer can open in a browser, by name */
  links(): Record<string, string> {
    return Object.fromEntries(this.#started().flatMap(([, { links }]) => Object.entries(links?.() ?? {})));
  }

  /**
   * Starts all modules, concurrently where requirements allow, then calls `serve` of each.
   * @throws what a module throws, or that it took too long. The other starts are aborted; call `stop` to release what has started
   */
  async start(): Promise<void> {
    const { startTimeoutMs } = this.#options;
    const { signal } = this.#stopping;
    const starts = new Map<Module, Promise<void>>();
    for (const module of this.#modules) {
      const required = requirementsOf(module, this.#modules).map(async (each) => starts.get(each));
      starts.set(module, this.#startAfter(required, module));
    }
    try {
      await Promise.all(starts.values());
      for (const [{ name }, { serve }] of this.#started()) {
        signal.throwIfAborted();
        if (serve !== undefined) await withDeadline(`${name}: serve`, startTimeoutMs, serve);
      }
      signal.throwIfAborted();
    } catch (error) {
      this.#stopping.abort(error);
      throw error;
    }
    this.phase = 'ready';
  }

  /**
   * Reloads the modules one after another. A failure does not stop the others.
   * @returns whether all succeeded
   */
  async reload(): Promise<boolean> {
    const done: boolean[] = [];
    for (const [module] of this.#started()) done.push(await this.#step(module, 'reload', this.#options.startTimeoutMs));
    return done.every(Boolean);
  }

  /**
   * Drains all modules, waits for detached work, then stops the modules in reverse order. A failure or a late module does not stop
   * the others.
   * @param delayMs milliseconds to serve on first, if the service was ready; readiness fails already
   * @param timeoutMs milliseconds for everything, the delay included
   * @returns whether everything ended in time and without an error
   */
  async stop(delayMs: number, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    const wasReady = this.phase === 'ready';
    this.phase = 'stopping';
    this.#stopping.abort(new Error('the service is stopping'));
    const done = [
      await this.#attempt(
        'start abandoned: it ignored its signal',
        timeoutMs * shares.abortedStarts,
        () => Promise.all(this.#starting.values()),
        () => ({ modules: Array.from(this.#starting.keys(), ({ name }) => name) }),
      ),
    ];
    if (wasReady && delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));

    const drainMs = (end - performance.now()) * shares.draining;
    const drainEnd = performance.now() + drainMs;
    done.push(...(await Promise.all(this.#started().map(([module]) => this.#step(module, 'drain', drainMs)))));
    // Detached work uses modules, so they stop after it.
    const leftMs = drainEnd - performance.now();
    done.push(await this.#attempt('detached work given up', leftMs, finishDetachedWork, factsOfDetachedWork));
    for (const [module] of this.#started().toReversed()) {
      // The modules that are left share the time that is left.
      done.push(await this.#step(module, 'stop', (end - performance.now()) / this.#running.size));
      this.#running.delete(module);
    }
    return done.every(Boolean);
  }

  async #startAfter(required: readonly Promise<void>[], module: Module): Promise<void> {
    await Promise.all(required);
    this.#stopping.signal.throwIfAborted();
    // A start that ends after its time limit still leaves something to stop.
    const launched = (async () => this.#running.set(module, await module.start(this.#contextOf(module))))();
    const over = launched.catch(() => undefined).finally(() => this.#starting.delete(module));
    this.#starting.set(module, over);
    await withDeadline(`${module.name}: start`, this.#options.startTimeoutMs, () => launched);
  }

  /** The modules that have started, dependencies first. */
  #started(): [Module, Running<unknown>][] {
    return this.#modules.flatMap((module): [Module, Running<unknown>][] => {
      const running = this.#running.get(module);
      return running === undefined ? [] : [[module, running]];
    });
  }

  #contextOf(module: Module): ModuleContext<Static<TObject>> {
    return {
      config: this.#options.configOf(module),
      log: this.#options.log.child({ module: module.name }),
      signal: this.#stopping.signal,
      lifecycle: this,
      use: <Value>(required: Module<TObject, Value>) => {
        const running = this.#running.get(required);
        if (running === undefined || !(module.requires.includes(required) || module.completes === required)) {
          throw new Error(`Module "${module.name}" uses "${required.name}" without requiring it`);
        }
        // The map holds what this very module has started.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return running.value as Value;
      },
    };
  }

  async #step(module: Module, step: 'reload' | 'drain' | 'stop', ms: number): Promise<boolean> {
    const work = this.#running.get(module)?.[step];
    return work === undefined || this.#attempt(`${step} failed`, ms, work, (err) => ({ err, module: module.name }));
  }

  /** @returns whether the work ended in time and without an error; otherwise a line with these facts says what failed */
  async #attempt(
    message: string,
    ms: number,
    work: (signal: AbortSignal) => unknown,
    factsOf: (error: unknown) => object,
  ): Promise<boolean> {
    try {
      await withDeadline('it', Math.max(ms, 0), work);
      return true;
    } catch (error) {
      this.#options.log.error(factsOf(error), message);
      return false;
    }
  }
}
