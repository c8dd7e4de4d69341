import { Counter, Histogram, type Registry } from '@prometheus-io/client';
import { scrapedGauge } from '../metrics/module.ts';

/** Metrics of the connection. */
export type RedisMetrics = ReturnType<typeof createMetrics>;

/** Why a command failed: the server was away, or replied with an error. */
export type Failure = 'unavailable' | 'refused';

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];

/**
 * Registers the metrics of the connection.
 * @param registry where they are scraped from
 * @param isUp whether there is a connection to a master, read at each scrape
 * @returns functions that count
 */
export function createMetrics(registry: Registry, isUp: () => boolean) {
  const registers = [registry];
  scrapedGauge(registry, 'redis_up', 'Whether there is a connection to a Redis that takes writes: 1 or 0', () =>
    isUp() ? 1 : 0,
  );
  const durations = new Histogram({
    name: 'redis_command_duration_seconds',
    help: 'Seconds that answered commands took, by command',
    labelNames: ['command'],
    buckets: seconds,
    registers,
  });
  const failures = new Counter({
    name: 'redis_command_failures_total',
    help: 'Commands that failed: the server was away (unavailable), or replied with an error (refused)',
    labelNames: ['reason'],
    registers,
  });
  const connects = new Counter({
    name: 'redis_reconnects_total',
    help: 'Connections made after one was lost',
    registers,
  });
  const stalls = new Counter({
    name: 'redis_stalls_total',
    help: 'Connections given up because a command got no answer within REDIS_COMMAND_TIMEOUT_MS',
    registers,
  });
  // Finding a histogram by its labels costs more than observing.
  const byCommand = new Map<string, ReturnType<typeof durations.labels>>();
  return {
    answered: (command: string, ms: number): void => {
      let observed = byCommand.get(command);
      if (observed === undefined) byCommand.set(command, (observed = durations.labels({ command })));
      observed.observe(ms / 1000);
    },
    failed: (reason: Failure): void => failures.inc({ reason }),
    reconnected: (): void => connects.inc(),
    stalled: (): void => stalls.inc(),
  };
}
