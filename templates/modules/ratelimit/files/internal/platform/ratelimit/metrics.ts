import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Concurrency, Priority } from './concurrency.ts';
import type { Outcome } from './limiter.ts';

/** What limits report. */
export type RatelimitMetrics = ReturnType<typeof createMetrics>;

/**
 * Registers the metrics of quotas.
 * @param registry where they are scraped from
 * @param keys how many are kept in memory, read at each scrape
 * @returns what somebody must tell
 */
export function createMetrics(registry: Registry, keys: () => number) {
  const registers = [registry];
  const decisions = new Counter({
    name: 'ratelimit_decisions_total',
    help: 'Requests by policy and outcome: allowed, or refused by the window or the bucket',
    labelNames: ['policy', 'outcome'],
    registers,
  });
  const unknown = new Counter({
    name: 'ratelimit_unknown_keys_total',
    help: 'Requests that lacked what they were to be counted by, or had an absurd value there: counted for the peer',
    labelNames: ['part'],
    registers,
  });
  const evictions = new Counter({
    name: 'ratelimit_evictions_total',
    help: 'Keys forgotten in memory, since there were more than RATELIMIT_KEYS_MAX',
    registers,
  });
  const fallbacks = new Counter({
    name: 'ratelimit_fallback_decisions_total',
    help: 'Requests counted by this process alone, since Redis was away',
    registers,
  });
  const size = new Gauge({
    name: 'ratelimit_keys',
    help: 'Keys counted in the memory of the process',
    registers: [],
    collect() {
      this.set(keys());
    },
  });
  registry.registerMetric(size);
  // To find one by its labels costs more than to count.
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
 * @returns hears of each request that is turned away
 */
export function measureConcurrency(registry: Registry, concurrency: Concurrency): (priority: Priority) => void {
  const limit = new Gauge({
    name: 'ratelimit_concurrency_limit',
    help: 'Requests that may be answered at the same time',
    registers: [],
    collect() {
      this.set(concurrency.limit);
    },
  });
  const inFlight = new Gauge({
    name: 'ratelimit_in_flight_requests',
    help: 'Requests that are being answered',
    registers: [],
    collect() {
      this.set(concurrency.inFlight);
    },
  });
  registry.registerMetric(limit);
  registry.registerMetric(inFlight);
  const shed = new Counter({
    name: 'ratelimit_shed_total',
    help: 'Requests turned away by the concurrency limit, by priority',
    labelNames: ['priority'],
    registers: [registry],
  });
  return (priority) => shed.inc({ priority });
}
