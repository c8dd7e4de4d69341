import { Gauge, Registry, collectDefaultMetrics } from '@prometheus-io/client';
import { Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { measureLogs } from '../log/metrics.ts';
import { ErrorCounts } from './errors.ts';
import { openMetrics } from './openMetrics.ts';
import { RequestDurations } from './requests.ts';

/** What modules measure with. */
export interface Metrics {
  /** Where modules register counters, gauges and histograms of their own: `registers: [registry]`. */
  readonly registry: Registry;
  readonly requests: RequestDurations;
  readonly errors: ErrorCounts;
  /** All of it in Prometheus' text format. */
  readonly text: () => Promise<string>;
  /** All of it in OpenMetrics' format, with exemplars. */
  readonly openMetrics: () => Promise<string>;
}

/** Metrics of the process, of the build, of the log, and of every request. */
export const metrics = defineModule({
  name: 'metrics',
  config: Type.Object({}),
  requires: [],
  start({ log }) {
    const value = createMetrics();
    measureLogs(value.registry, log);
    return { value };
  },
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
  const requests = new RequestDurations(recordedTraceId);
  return {
    registry,
    requests,
    errors: new ErrorCounts(registry),
    text: async () => (await registry.metrics()) + requests.text(),
    openMetrics: async () => openMetrics((await registry.metrics()) + requests.textWithExemplars()),
  };
}

/** Of the request at hand, when its trace can be looked up. */
function recordedTraceId(): string | undefined {
  const { sampled, traceId } = current().trace;
  return sampled ? traceId : undefined;
}
