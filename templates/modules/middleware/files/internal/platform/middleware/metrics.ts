import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { Entry } from './entry.ts';
import { outcomes } from './measured.ts';

/**
 * Registers what each middleware has done; read at each scrape, so that a request only adds to numbers.
 * @param registry where it is scraped from
 * @param entries all there are; those that are gone are no longer told of
 */
export function registerMetrics(registry: Registry, entries: () => readonly Entry[]): void {
  const seconds = new Counter({
    name: 'middleware_seconds_total',
    help: 'Seconds that requests spent in a middleware, until it let them go on or answered them',
    labelNames: ['middleware'],
    registers: [],
    collect() {
      this.reset();
      for (const { name, tally } of entries()) this.inc({ middleware: name }, tally.seconds);
    },
  });
  const requests = new Counter({
    name: 'middleware_requests_total',
    help: 'Requests by middleware and outcome: passed, answered, failed, unfinished',
    labelNames: ['middleware', 'outcome'],
    registers: [],
    collect() {
      this.reset();
      for (const { name, tally } of entries())
        for (const outcome of outcomes) this.inc({ middleware: name, outcome }, tally.counts[outcome]);
    },
  });
  const inProgress = new Gauge({
    name: 'middleware_in_progress_requests',
    help: 'Requests that a middleware has not let go on yet',
    labelNames: ['middleware'],
    registers: [],
    collect() {
      this.reset();
      for (const { name, tally } of entries()) this.set({ middleware: name }, tally.inProgress);
    },
  });
  const on = new Gauge({
    name: 'middleware_on',
    help: 'Whether a middleware of the service is on for all routes: 1, or 0 since somebody has changed that',
    labelNames: ['middleware'],
    registers: [],
    collect() {
      this.reset();
      for (const { name, isDeclared, state } of entries())
        if (isDeclared) this.set({ middleware: name }, state.isOn && state.routes === undefined ? 1 : 0);
    },
  });
  for (const metric of [seconds, requests, inProgress, on]) registry.registerMetric(metric);
}
