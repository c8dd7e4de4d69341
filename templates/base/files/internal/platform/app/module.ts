import type { Static, TObject } from 'typebox';
import type { Rule } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';

export type Phase = 'starting' | 'ready' | 'stopping';

/** `ok`, or what is impaired although the module works; or what is wrong. */
export type Health = string | { readonly error: string };

/** What modules may know of the whole service. */
export interface Lifecycle {
  readonly phase: Phase;
  /**
   * Runs the health checks of all started modules, concurrently.
   * @param timeoutMs milliseconds for each
   * @returns health by name of the module
   */
  health(timeoutMs: number): Promise<Record<string, Health>>;
}

/** A running module. */
export interface Running<Value> {
  /** What `use(module)` returns in the modules that require this one. */
  readonly value: Value;
  /** Throws when unhealthy: the service is then not ready. May return what is impaired, which leaves the service ready. */
  readonly health?: (signal: AbortSignal) => string | void | Promise<string | void>;
  /** Begins to accept work. Called when all modules have started. */
  readonly serve?: () => void | Promise<void>;
  /** What a developer can open in a browser, by name: a URL, or a path of the API. Called after `serve`. */
  readonly links?: () => Readonly<Record<string, string>>;
  /** Loads changed files, such as keys, on SIGHUP. When it throws, the service goes on with what it has. */
  readonly reload?: (signal: AbortSignal) => void | Promise<void>;
  /** First step of a shutdown: stops accepting work and finishes what is in flight. The signal aborts at the deadline. */
  readonly drain?: (signal: AbortSignal) => void | Promise<void>;
  /** Last step of a shutdown, in reverse order of the start: releases resources. The signal aborts at the deadline. */
  readonly stop?: (signal: AbortSignal) => void | Promise<void>;
}

/** What a module gets when it starts. */
export interface ModuleContext<Config> {
  /** The module's own settings, validated and frozen. */
  readonly config: Config;
  /** Every line names the module. */
  readonly log: Logger;
  /** Aborts when the shutdown begins, before `drain`, or when another module cannot start. A start must then give up. */
  readonly signal: AbortSignal;
  readonly lifecycle: Lifecycle;
  /** @returns the value of a module in `requires`, or of the one in `completes` */
  readonly use: <Value>(module: Module<TObject, Value>) => Value;
}

/** One capability of the service. */
export interface Module<Config extends TObject = TObject, Value = unknown> {
  readonly name: string;
  /** Each key is an environment variable. */
  readonly config: Config;
  /** Conditions between settings, also those of other modules. Checked before anything starts. */
  readonly rules?: readonly Rule[];
  readonly requires: readonly Module[];
  /** A module that this one fills in. All modules that require that one start after this one, and stop before it. */
  readonly completes?: Module;
  /** A method, so that modules with different settings fit into one list. */
  start(context: ModuleContext<Static<Config>>): Running<Value> | Promise<Running<Value>>;
}

/**
 * Declares a module. It returns its argument and exists for type inference.
 * @param module name, settings, requirements and start
 * @returns the same object, typed by its settings and its value
 */
export function defineModule<Config extends TObject, Value>(module: Module<Config, Value>): Module<Config, Value> {
  return module;
}
