import { collectDefaultMetrics, Counter, Gauge, Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { controlOf } from '../log/logger.ts';
import { RequestDurations } from './requests.ts';

/** Codes stand in the code, so there are few; should somebody make one of an id, the rest is counted as one. */
const mostCodes = 200;

/** Errors that callers were answered with, whatever the protocol. */
export class ErrorCounts {
  readonly #counter: Counter<'code'>;
  readonly #codes = new Set<string>();

  /** @param registry where they are to be seen, as `errors_total` */
  constructor(registry: Registry) {
    this.#counter = new Counter({
      name: 'errors_total',
      help: 'Errors that callers were answered with, or cut off for, by their code.',
      labelNames: ['code'],
      registers: [registry],
    });
  }

  /** @param code of the ServiceError that decided; `unknown` is what nobody has given a code: a fault of our own */
  count(code = 'unknown'): void {
    if (this.#codes.size < mostCodes) this.#codes.add(code);
    this.#counter.inc({ code: this.#codes.has(code) ? code : 'other' });
  }
}

/** The media type that a scraper names when it takes exemplars. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Rewrites metrics as OpenMetrics 1.0 asks: a counter's family is named without the `_total` that its samples have, there are
 * no blank lines, and the end is marked (https://prometheus.io/docs/specs/om/open_metrics_spec/). The client library has a
 * registry for this format, but one registry prints one of the two formats, and renames the counters in it for good.
 * @param text metrics in Prometheus' text format, version 0.0.4, each counter called `*_total`
 * @returns the same in OpenMetrics
 */
export function openMetrics(text: string): string {
  const counters = new Set(Array.from(text.matchAll(/^# TYPE (\S+)_total counter$/gm), ([, family]) => family));
  const lines = text.split('\n').filter((line) => line !== '');
  const renamed = lines.map((line) =>
    line.replace(/^# (HELP|TYPE) (\S+)_total /, (head, word: string, family: string) =>
      counters.has(family) ? `# ${word} ${family} ` : head,
    ),
  );
  return `${renamed.join('\n')}\n# EOF\n`;
}

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
    controlOf(log)?.measure(value.registry);
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
