import { isatty } from 'node:tty';
import type { Logger } from '../log/logger.ts';
import { exit } from './exit.ts';
import type { Service } from './lifecycle.ts';
import { reloading } from './reloading.ts';

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
