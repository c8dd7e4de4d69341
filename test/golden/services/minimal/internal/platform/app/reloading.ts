import type { Logger } from '../log/logger.ts';
import type { Service } from './lifecycle.ts';

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
