import { collectDefaultMetrics, Counter, Gauge, Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { controlOf } from '../log/logger.ts';
import { RequestDurations } from './requests.ts';

/** What modules measure with. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Metrics of the process, the build, the log and every request. */
export const metrics = defineModule({
  name: 'metrics',
  config: Type.Object({}),
  requires: [],
  start({ log }) {
    const value = createMetrics();
    countDroppedLines(value.registry, controlOf(log)?.dropped ?? {});
    return { value };
  },
});

function countDroppedLines(registry: Registry, dropped: Readonly<Record<string, number>>): void {
  const counter = new Counter({
    name: 'log_lines_dropped_total',
    help: 'Lines that are not in the log: left out by sampling, or lost because they could not be written.',
    labelNames: ['reason'],
    registers: [],
    collect() {
      this.reset();
      for (const [reason, lines] of Object.entries(dropped)) this.inc({ reason }, lines);
    },
  });
  registry.registerMetric(counter);
}

/** @returns new metrics, including those of the process and the build */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'build_info',
    help: 'Always 1; the labels name the build.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service: about.name, version: about.version, node: process.version }, 1);
  const requests = new RequestDurations();
  return {
    /** For the modules' own metrics: `registers: [registry]`. */
    registry,
    requests,
    errors: new ErrorCounts(registry),
    /** All metrics in the format of Prometheus. */
    text: async () => (await registry.metrics()) + requests.text(),
    /** All metrics in the format of OpenMetrics, with exemplars. */
    openMetrics: async () => toOpenMetrics((await registry.metrics()) + requests.text(true)),
  };
}

/** Largest number of different codes. Codes are constants, but a service may build them from ids; the rest counts as `other`. */
const maxCodes = 200;

/** Counts the errors that callers get, for all protocols. */
export class ErrorCounts {
  readonly #counter: Counter<'code'>;
  readonly #codes = new Set<string>();

  /** @param registry gets the counter `errors_total` */
  constructor(registry: Registry) {
    this.#counter = new Counter({
      name: 'errors_total',
      help: 'Errors that callers got, or for which their connection was closed, by code.',
      labelNames: ['code'],
      registers: [registry],
    });
  }

  /** @param code of the ServiceError; `unknown` for an error without one, which is a fault of the service */
  count(code = 'unknown'): void {
    if (this.#codes.size < maxCodes) this.#codes.add(code);
    this.#counter.inc({ code: this.#codes.has(code) ? code : 'other' });
  }
}

/** The media type of OpenMetrics. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Rewrites metrics for OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/): the head of a counter has no
 * `_total`, there are no blank lines, and the text ends with a mark. A registry of the client library prints only one of the formats.
 * @param text metrics in the format of Prometheus
 */
function toOpenMetrics(text: string): string {
  const heads = /^# HELP (\S+)_total (.*)\n# TYPE \1_total counter$/gm;
  const renamed = text.replaceAll(heads, '# HELP $1 $2\n# TYPE $1 counter');
  return `${renamed.replaceAll(/\n+/g, '\n')}# EOF\n`;
}

/**
 * Registers a gauge whose value is read at each scrape.
 * @param registry that exposes it
 * @param name of the metric
 * @param help what it shows
 * @param read returns the value
 */
export function scrapedGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const collect = function collect(this: Gauge): void {
    this.set(read());
  };
  registry.registerMetric(new Gauge({ name, help, registers: [], collect }));
}
