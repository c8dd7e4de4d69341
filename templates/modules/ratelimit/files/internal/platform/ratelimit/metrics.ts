import { Counter, type Registry } from '@prometheus-io/client';
import { scrapedGauge } from '../metrics/module.ts';
import type { Concurrency, Priority } from './concurrency.ts';
import type { Outcome } from './limiter.ts';

/** Metrics of quotas. */
export type RatelimitMetrics = ReturnType<typeof createMetrics>;

/**
 * Registers the metrics of quotas.
 * @param registry where they are scraped from
 * @param keys gives the number of keys in memory
 * @returns functions that count
 */
export function createMetrics(registry: Registry, keys: () => number) {
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const decisions = counter(
    'ratelimit_decisions_total',
    'Requests by policy and outcome: allowed, or refused by the window or the bucket',
    ['policy', 'outcome'],
  );
  const unknown = counter(
    'ratelimit_unknown_keys_total',
    'Requests without a valid key, which are counted by address',
    ['part'],
  );
  const evictions = counter(
    'ratelimit_evictions_total',
    'Keys forgotten in memory, because there were more than RATELIMIT_KEYS_MAX',
  );
  const fallbacks = counter(
    'ratelimit_fallback_decisions_total',
    'Requests counted by this process alone, because Redis was away',
  );
  scrapedGauge(registry, 'ratelimit_keys', 'Keys in the memory of the process', keys);
  // Finding a counter by its labels costs more than counting.
  const children = new Map<string, ReturnType<typeof decisions.labels>>();
  return {
    decided: (policy: string, outcome: Outcome): void => {
      const id = outcome + policy;
      let child = children.get(id);
      if (child === undefined) children.set(id, (child = decisions.labels({ policy, outcome })));
      child.inc();
    },
    unknown: (part: string): void => unknown.inc({ part }),
    evicted: (): void => evictions.inc(),
    fellBack: (): void => fallbacks.inc(),
  };
}

/**
 * Registers the metrics of the concurrency limit.
 * @param registry where they are scraped from
 * @param concurrency read at each scrape
 * @returns counts a refused request
 */
export function measureConcurrency(registry: Registry, concurrency: Concurrency): (priority: Priority) => void {
  scrapedGauge(
    registry,
    'ratelimit_concurrency_limit',
    'Requests that may be answered at the same time',
    () => concurrency.limit,
  );
  scrapedGauge(
    registry,
    'ratelimit_in_flight_requests',
    'Requests that are being answered',
    () => concurrency.inFlight,
  );
  const shed = new Counter({
    name: 'ratelimit_shed_total',
    help: 'Requests refused by the concurrency limit, by priority',
    labelNames: ['priority'],
    registers: [registry],
  });
  return (priority) => shed.inc({ priority });
}
