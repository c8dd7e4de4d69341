import { isatty } from 'node:tty';
import { checkConfig, ConfigError, readConfig } from '../config/config.ts';
import { controlOf, createLogger, type Logger, onDevelopersTerminal } from '../log/logger.ts';
import { config as appConfig, rules as appRules } from './config.ts';
import { Service } from './lifecycle.ts';
import type { Module } from './module.ts';

/** Milliseconds for the last lines of the log, when their reader reads nothing. */
const flushTimeoutMs = 3000;
/** Milliseconds for the stop after an uncaught error: the process is no longer reliable. */
const fatalTimeoutMs = 5000;
/** Milliseconds within which the same signal counts once: the terminal sends Ctrl+C to all processes, and npm forwards it. */
const repeatMs = 1000;

/**
 * Runs the service: checks the configuration, starts the modules, and stops them on SIGTERM or SIGINT. The exit code is 0 after a
 * clean stop; 1 after a faulty configuration, a failed start, an uncaught error, a late stop or a second signal; 2 with arguments.
 * SIGHUP reloads the modules.
 * @param modules all modules of the service, in any order
 * @returns when the service is ready, or about to exit
 */
export async function run(modules: readonly Module[]): Promise<void> {
  const { argv, env } = process;
  const { schemas, rules } = settingsOf(modules);
  const args = argv.slice(2);
  if (args.length > 0) {
    const log = await createLogger('info');
    log.fatal({ args }, 'there are no arguments: settings are environment variables, such as PORT');
    return exit(log, 2);
  }
  try {
    checkConfig(schemas, env, rules);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const log = await createLogger('info');
    log.fatal({ faults: error.faults }, error.message);
    return exit(log, 1);
  }

  const settings = readConfig(appConfig, env);
  const { LOG_SAMPLE_INITIAL: initial, LOG_SAMPLE_THEREAFTER: thereafter } = settings;
  const log = await createLogger(settings.LOG_LEVEL, undefined, { initial, thereafter });
  const service = new Service(modules, {
    log,
    configOf: (module) => readConfig(module.config, env),
    startTimeoutMs: settings.START_TIMEOUT_MS,
  });
  const fail = watchForEnd(service, log, settings.SHUTDOWN_DELAY_MS, settings.SHUTDOWN_TIMEOUT_MS);

  const isDevelopment = onDevelopersTerminal();
  const names = modules.map(({ name }) => name);
  log[isDevelopment ? 'debug' : 'info']({ node: process.version, modules: names }, 'starting');
  try {
    await service.start();
    // Since the process began.
    const ms = Math.round(performance.now());
    if (isDevelopment) log.info(`ready in ${ms} ms: ${linkText(service.links())}`);
    else log.info({ ms }, 'ready');
  } catch (error) {
    // A signal makes the start fail too, and has already begun the stop.
    if (service.phase !== 'stopping') fail(error, 'the service could not start');
  }
}

/**
 * @param modules all modules of the service
 * @returns the schemas of all settings, and the rules between them
 */
export function settingsOf(modules: readonly Module[]) {
  return {
    schemas: [appConfig, ...modules.map(({ config }) => config)],
    rules: [...appRules, ...modules.flatMap(({ rules = [] }) => rules)],
  };
}

/**
 * @param links URLs by name; a path belongs to the API
 * @returns the links in one line
 */
export function linkText(links: Readonly<Record<string, string>>): string {
  const { API = '' } = links;
  return Object.entries(links)
    .map(([name, url]) => `${name} ${url.startsWith('/') ? API : ''}${url}`)
    .join(', ');
}

/**
 * Writes the log, then ends the process.
 * @param log any logger of the process
 * @param code exit code
 */
export async function exit(log: Logger, code: 0 | 1 | 2): Promise<never> {
  const written = (await controlOf(log)?.flush(flushTimeoutMs)) ?? true;
  // Node cannot exit during a write, and the reader of this one has stopped.
  if (!written) process.kill(process.pid, 'SIGKILL');
  return process.exit(code);
}

/**
 * Handles signals and uncaught errors. Our own code, because close-with-grace has one timeout for both, exits with 0 after a late
 * stop, and accepts a dozen more signals.
 * @returns a function that logs an error, stops the service briefly, and exits with code 1
 */
function watchForEnd(service: Service, log: Logger, delayMs: number, timeoutMs: number) {
  let failed = false;
  let last: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  let reloaded = Promise.resolve();

  async function end(delay: number, timeout: number): Promise<never> {
    const begun = performance.now();
    const clean = await service.stop(delay, timeout);
    log.info({ clean, ms: Math.round(performance.now() - begun) }, 'stopped');
    return exit(log, clean && !failed ? 0 : 1);
  }

  function fail(err: unknown, message: string): void {
    log.fatal({ err }, message);
    failed = true;
    if (service.phase !== 'stopping') void end(0, Math.min(fatalTimeoutMs, timeoutMs));
  }

  function onSignal(signal: NodeJS.Signals): void {
    const at = performance.now();
    const isRepeat = last?.signal === signal && at - last.at < repeatMs;
    last = { signal, at };
    if (isRepeat) return;
    if (service.phase === 'stopping') {
      log.fatal({ signal }, 'second signal: exit at once');
      void exit(log, 1);
    } else {
      log.info({ signal, delayMs, timeoutMs }, 'stopping');
      void end(delayMs, timeoutMs);
    }
  }

  /** Settings do not change: a process keeps its environment. */
  async function reload(): Promise<void> {
    if (service.phase === 'ready') log.info({ complete: await service.reload() }, 'reloaded');
    else log.warn({ phase: service.phase }, 'not reloaded: the service is not ready');
  }

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', (signal) => {
    // In a terminal, SIGHUP means that the terminal was closed.
    if (isatty(1)) onSignal(signal);
    else reloaded = reloaded.then(reload);
  });
  // Also unhandled rejections.
  process.on('uncaughtException', (error) => fail(error, 'uncaught error'));
  return fail;
}
