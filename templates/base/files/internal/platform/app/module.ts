import type { Static, TObject } from 'typebox';
import type { Rule } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';

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

/** A running module: what others may use of it, and how it lives and ends. */
export interface Running<Value> {
  /** What `use(module)` gives to the modules that require this one. */
  readonly value: Value;
  /** Throws when unhealthy: the service is then not ready. */
  readonly health?: (signal: AbortSignal) => void | Promise<void>;
  /** After every module has started: begin to accept work. */
  readonly serve?: () => void | Promise<void>;
  /** Once it serves: what a developer can open in a browser, by name: URLs, or paths of the API. */
  readonly links?: () => Readonly<Record<string, string>>;
  /**
   * On SIGHUP: take up what has changed outside, such as a file of keys. The service stays up, whatever this throws: what was
   * good before has to go on.
   */
  readonly reload?: (signal: AbortSignal) => void | Promise<void>;
  /** On shutdown, first: stop accepting, finish what is in flight. The signal aborts at the deadline. */
  readonly drain?: (signal: AbortSignal) => void | Promise<void>;
  /** On shutdown, last, in reverse order of start: release resources. The signal aborts at the deadline. */
  readonly stop?: (signal: AbortSignal) => void | Promise<void>;
}

/** What a module is given when it starts. */
export interface ModuleContext<Config> {
  /** The module's own settings, validated and frozen. */
  readonly config: Config;
  /** Names the module in each line. */
  readonly log: Logger;
  /** Aborts when shutdown begins, before anything is drained; also when another module cannot start. A start gives up then. */
  readonly signal: AbortSignal;
  /** The phase of the service and the health of its modules. */
  readonly lifecycle: Lifecycle;
  /** The value of a module in `requires`, or of the one that `completes` names. */
  readonly use: <Value>(module: Module<TObject, Value>) => Value;
}

/** One capability of the service. */
export interface Module<Config extends TObject = TObject, Value = unknown> {
  readonly name: string;
  /** Keys are names of environment variables. */
  readonly config: Config;
  /** What must hold between its settings, and between them and those of others; checked before anything starts. */
  readonly rules?: readonly Rule[];
  readonly requires: readonly Module[];
  /** Another module, which this one fills. Each module that requires that one starts after this one, and stops before it. */
  readonly completes?: Module;
  /** A method, so that modules with different settings fit into one list. */
  start(context: ModuleContext<Static<Config>>): Running<Value> | Promise<Running<Value>>;
}

/**
 * Declares a module; the identity function, there for inference.
 * @param module its name, settings, requirements and start
 * @returns the same object, typed by its settings and its value
 */
export function defineModule<Config extends TObject, Value>(module: Module<Config, Value>): Module<Config, Value> {
  return module;
}
