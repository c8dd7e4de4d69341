import { isatty } from 'node:tty';
import { checkConfig, ConfigError, readConfig, redactConfig } from '../config/config.ts';
import { config as logConfig } from '../log/config.ts';
import { controlOf } from '../log/logger.ts';
import { createLogger, type Logger, onDevelopersTerminal } from '../log/logger.ts';
import { about } from './about.ts';
import { config as appConfig, rules } from './config.ts';
import { Service } from './lifecycle.ts';
import type { Module } from './module.ts';

/**
 * @param links what can be opened in a browser, by name; a path is one of the API's
 * @returns a few lines for a developer's terminal
 */
export function banner(links: Readonly<Record<string, string>>): string {
  const width = Math.max(0, ...Object.keys(links).map((name) => name.length));
  const { API = '' } = links;
  const lines = Object.entries(links).map(
    ([name, url]) => `  ${name.padEnd(width)}  ${url.startsWith('/') ? API : ''}${url}`,
  );
  return ['', `  ${about.name} ${about.version} is ready`, '', ...lines, '', ''].join('\n');
}

/** Milliseconds until a reader of the log that takes nothing is given up. */
const flushTimeoutMs = 3000;

/**
 * Ends the process when its log is written.
 * @param log any logger of the process
 * @param code what to exit with
 */
export async function exit(log: Logger, code: 0 | 1): Promise<never> {
  const written = (await controlOf(log)?.flush(flushTimeoutMs)) ?? true;
  // Node waits for a write under way even when it exits; nobody reads this one.
  if (!written) process.kill(process.pid, 'SIGKILL');
  return process.exit(code);
}

/**
 * What can change without a restart is what a module's `reload` takes up. Settings are no part of it: a process keeps the
 * environment that it was started with.
 * @param service whose modules reload
 * @param log hears of it
 * @returns what to do on SIGHUP; one reload at a time
 */
export function reloading(service: Service, log: Logger): () => void {
  let last = Promise.resolve();

  async function reload(): Promise<void> {
    if (service.phase !== 'ready') {
      log.warn({ phase: service.phase }, 'not reloaded: only a service that is ready is');
      return;
    }
    const complete = await service.reload();
    log.info({ complete }, 'reloaded');
  }

  return () => {
    last = last.then(reload);
  };
}

/** Milliseconds to finish what is in flight after an error that nobody caught: the process can no longer be trusted. */
const fatalTimeoutMs = 5000;

export interface EndingOptions {
  readonly service: Service;
  readonly log: Logger;
  /** Milliseconds to go on serving after a signal. */
  readonly delayMs: number;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
}

/** Ends the process. */
export interface Ending {
  /** Whether the end has begun. */
  readonly begun: () => boolean;
  /** Logs what went wrong, stops the service briefly, and exits with code 1. */
  readonly fail: (error: unknown, message: string) => void;
}

/**
 * Watches for the end of the process. SIGTERM and SIGINT stop the service: exit code 0 when every module stopped in time,
 * otherwise 1. A second signal exits at once, with code 1. So does, after a brief stop, an error that nobody caught.
 * SIGHUP ends nothing: it has the modules reload.
 *
 * A few lines in place of close-with-grace: there the time allowed is one for signals and errors, a stop that was late in
 * part still exits with code 0, and a dozen more signals are taken.
 * @param options the service and its limits
 * @returns a way to end it from within
 */
export function watchForEnd({ service, log, delayMs, timeoutMs }: EndingOptions): Ending {
  let begun = false;
  let failed = false;

  async function end(delay: number, timeout: number): Promise<never> {
    begun = true;
    const start = performance.now();
    const clean = await service.stop(delay, timeout);
    log.info({ clean, ms: Math.round(performance.now() - start) }, 'stopped');
    return exit(log, clean && !failed ? 0 : 1);
  }

  function fail(err: unknown, message: string): void {
    log.fatal({ err }, message);
    failed = true;
    if (!begun) void end(0, Math.min(fatalTimeoutMs, timeoutMs));
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (begun) {
      log.fatal({ signal }, 'second signal: exit at once');
      void exit(log, 1);
      return;
    }
    log.info({ signal, delayMs, timeoutMs }, 'stopping');
    void end(delayMs, timeoutMs);
  }

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // To one that runs in a terminal it says that the terminal has gone.
  process.on('SIGHUP', isatty(1) ? onSignal : reloading(service, log));
  // Rejections that nobody handles arrive here too.
  process.on('uncaughtException', (error) => fail(error, 'uncaught error'));
  return { begun: () => begun, fail };
}

/**
 * Runs the service: checks the configuration, starts the modules, and stops them when a signal asks for it. The process
 * then exits with code 0; with 1 after a fault in the configuration, a failed start, or a stop that was not clean.
 * @param modules every module of the service, in any order
 * @returns when the service is ready, or about to exit
 */
export async function run(modules: readonly Module[]): Promise<void> {
  const { env } = process;
  const schemas = [appConfig, logConfig, ...modules.map((module) => module.config)];
  try {
    checkConfig(schemas, env, [...rules, ...modules.flatMap((module) => module.rules ?? [])]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const log = await createLogger('info');
    log.fatal({ faults: error.faults }, error.message);
    return exit(log, 1);
  }

  const limits = readConfig(appConfig, env);
  const {
    LOG_LEVEL: level,
    LOG_SAMPLE_INITIAL: initial,
    LOG_SAMPLE_THEREAFTER: thereafter,
  } = readConfig(logConfig, env);
  const log = await createLogger(level, undefined, { initial, thereafter });
  const service = new Service(modules, {
    log,
    configOf: (module) => readConfig(module.config, env),
    startTimeoutMs: limits.START_TIMEOUT_MS,
  });
  const ending = watchForEnd({
    service,
    log,
    delayMs: limits.SHUTDOWN_DELAY_MS,
    timeoutMs: limits.SHUTDOWN_TIMEOUT_MS,
  });

  const names = modules.map(({ name }) => name);
  log.info({ node: process.version, modules: names, config: redactConfig(schemas, env) }, 'starting');
  const begun = performance.now();
  try {
    await service.start();
    log.info({ ms: Math.round(performance.now() - begun) }, 'ready');
    if (onDevelopersTerminal()) {
      await controlOf(log)?.flush(1000);
      process.stdout.write(banner(service.links()));
    }
  } catch (error) {
    // A signal during the start makes it fail too; then the end has begun already.
    if (!ending.begun()) ending.fail(error, 'the service could not start');
  }
}
