import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, type Environment, checkConfig, readConfig, redactConfig } from '../config/config.ts';
import { config as logConfig } from '../log/config.ts';
import { createLogger } from '../log/logger.ts';
import { config as appConfig } from './config.ts';
import { Service } from './lifecycle.ts';
import type { Module } from './module.ts';

/** After an error that nobody caught, requests in flight get this long to finish: the process can no longer be trusted. */
const fatalShutdownMs = 5000;

/**
 * Runs the service until a signal ends it: reads the configuration, starts the modules, and on SIGTERM or SIGINT stops
 * them. Exit code 0 after a clean stop; 1 after a fault in the configuration, a failure, an uncaught error, a stop that
 * took too long, or a second signal.
 * @param modules every module of the service, in any order
 * @returns when the service is ready
 */
export async function run(modules: readonly Module[]): Promise<void> {
  const env = process.env;
  const schemas = [appConfig, logConfig, ...modules.map((module) => module.config)];
  try {
    checkConfig(schemas, env);
    checkShutdown(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    (await createLogger('info')).fatal({ faults: error.faults }, error.message);
    process.exit(1);
  }

  const { START_TIMEOUT_MS, SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = readConfig(appConfig, env);
  const log = await createLogger(readConfig(logConfig, env).LOG_LEVEL);
  const service = new Service(modules, {
    log,
    configOf: (module) => readConfig(module.config, env),
    startTimeoutMs: START_TIMEOUT_MS,
  });

  // Own lines rather than close-with-grace: the time allowed differs between a signal and a fatal error, the exit code
  // tells a clean stop from one that was late, and only the two signals that ask for an end are taken.
  let exitCode = 0;
  let stopping = false;
  const stop = async (delayMs: number, timeoutMs: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const begun = performance.now();
    const clean = await service.stop(delayMs, timeoutMs);
    log.info({ clean, ms: Math.round(performance.now() - begun) }, 'stopped');
    log.flush();
    process.exit(clean ? exitCode : 1);
  };
  const fail = (err: unknown, message: string): Promise<void> => {
    log.fatal({ err }, message);
    exitCode = 1;
    return stop(0, Math.min(fatalShutdownMs, SHUTDOWN_TIMEOUT_MS));
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log.fatal({ signal }, 'second signal: exit at once');
      process.exit(1);
    }
    log.info({ signal, delayMs: SHUTDOWN_DELAY_MS, timeoutMs: SHUTDOWN_TIMEOUT_MS }, 'stopping');
    void stop(SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  // Rejections that nobody handles arrive here too.
  process.on('uncaughtException', (error) => void fail(error, 'uncaught error'));

  log.info({ node: process.version, config: redactConfig(schemas, env) }, 'starting');
  const begun = performance.now();
  try {
    await service.start();
    log.info({ ms: Math.round(performance.now() - begun) }, 'ready');
  } catch (error) {
    // When a signal interrupted the start, its stop ends the process.
    await (stopping ? sleep(SHUTDOWN_TIMEOUT_MS) : fail(error, 'the service could not start'));
  }
}

/** @throws {ConfigError} when the delay would leave no time to stop */
function checkShutdown(env: Environment): void {
  const { SHUTDOWN_DELAY_MS: delay, SHUTDOWN_TIMEOUT_MS: timeout } = readConfig(appConfig, env);
  if (delay < timeout) return;
  const expected = `less than SHUTDOWN_TIMEOUT_MS, which is ${timeout}`;
  throw new ConfigError([{ variable: 'SHUTDOWN_DELAY_MS', expected, given: String(delay) }]);
}
