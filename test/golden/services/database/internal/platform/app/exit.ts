import { controlOf } from '../log/control.ts';
import type { Logger } from '../log/logger.ts';

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
