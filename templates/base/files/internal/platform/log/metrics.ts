import { Counter, type Registry } from '@prometheus-io/client';
import { controlOf } from './control.ts';
import type { Logger } from './logger.ts';

/**
 * Counts the lines that are not in the log.
 * @param registry where they are to be seen, as `log_lines_dropped_total`
 * @param log any logger of the process
 */
export function measureLogs(registry: Registry, log: Logger): void {
  const control = controlOf(log);
  if (control === undefined) return;
  const counter = new Counter({
    name: 'log_lines_dropped_total',
    help: 'Lines that are not in the log: left out by sampling, or lost because they could not be written.',
    labelNames: ['reason'],
    registers: [],
    collect() {
      this.reset();
      for (const [reason, lines] of Object.entries(control.dropped)) this.inc({ reason }, lines);
    },
  });
  registry.registerMetric(counter);
}
