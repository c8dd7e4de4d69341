import { Gauge, Registry, collectDefaultMetrics } from '@prometheus-io/client';
import { Type } from 'typebox';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { RequestDurations } from './requests.ts';

/** What modules measure with. */
export interface Metrics {
  /** Where modules register counters, gauges and histograms of their own: `registers: [registry]`. */
  readonly registry: Registry;
  readonly requests: RequestDurations;
  /** All of it in Prometheus' text format. */
  readonly text: () => Promise<string>;
}

/** Metrics of the process, of the build, and of every request. */
export const metrics = defineModule({
  name: 'metrics',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: createMetrics() }),
});

/** @returns fresh metrics, with those of the process and the build in them */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'build_info',
    help: 'Always 1; its labels tell which build runs.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service: about.name, version: about.version, node: process.version }, 1);
  const requests = new RequestDurations();
  return { registry, requests, text: async () => (await registry.metrics()) + requests.text() };
}
