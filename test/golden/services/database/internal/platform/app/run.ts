import { ConfigError, checkConfig, readConfig, redactConfig } from '../config/config.ts';
import { config as logConfig } from '../log/config.ts';
import { controlOf } from '../log/control.ts';
import { createLogger, onDevelopersTerminal } from '../log/logger.ts';
import { banner } from './banner.ts';
import { config as appConfig } from './config.ts';
import { watchForEnd } from './ending.ts';
import { exit } from './exit.ts';
import { Service } from './lifecycle.ts';
import type { Module } from './module.ts';
import { rules } from './rules.ts';

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
