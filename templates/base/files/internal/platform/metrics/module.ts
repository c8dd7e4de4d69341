import { collectDefaultMetrics, Counter, Gauge, Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { controlOf } from '../log/logger.ts';

/** What modules measure with. */
export type Metrics = ReturnType<typeof createMetrics>;

/** Metrics of the process, the build, the log and every request. */
export const metrics = defineModule({
  name: 'metrics',
  config: Type.Object({}),
  requires: [],
  start({ log }) {
    const value = createMetrics();
    const lines = new Counter({
      name: 'log_lines_dropped_total',
      help: 'Lines that are not in the log: left out by sampling, or lost because they could not be written.',
      labelNames: ['reason'],
      registers: [],
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(controlOf(log)?.dropped ?? {})) this.inc({ reason }, count);
      },
    });
    value.registry.registerMetric(lines);
    return { value };
  },
});

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

/** The requests with one set of labels. */
interface Series {
  readonly labels: string;
  /** The number of requests in each bucket; the last element is for those above all bounds. */
  readonly buckets: Float64Array;
  /** By bucket, the last traced request as OpenMetrics writes it. */
  readonly exemplars: string[];
  sum: number;
}

/** Upper bounds of the buckets in seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, Infinity];

/** The methods of RFC 9110, 9.3, and PATCH (RFC 5789). The conventions of OpenTelemetry call all others `_OTHER`. */
export const methods: ReadonlySet<string> = new Set('GET HEAD POST PUT PATCH DELETE CONNECT OPTIONS TRACE'.split(' '));

/**
 * A histogram of request durations per route. The client library validates and hashes its labels on each observation, which is much
 * slower: decision 013.
 */
export class RequestDurations {
  readonly #series = new Map<string, Series>();

  /**
   * Observes one request.
   * @param method HTTP method; an unknown one counts as `_OTHER`
   * @param route pattern of the route. Not the path: there is no limit to the number of paths
   * @param status HTTP status code
   * @param seconds duration
   */
  record(method: string, route: string, status: number, seconds: number): void {
    const known = methods.has(method) ? method : '_OTHER';
    const key = `${known} ${status} ${route}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      const escaped = route.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`);
      const labels = `method="${known}",route="${escaped}",status="${status}"`;
      series = { labels, buckets: new Float64Array(bounds.length), exemplars: [], sum: 0 };
      this.#series.set(key, series);
    }
    const index = bounds.findIndex((bound) => seconds <= bound);
    series.buckets[index] = (series.buckets[index] ?? 0) + 1;
    series.sum += seconds;
    const { sampled, traceId } = current().trace;
    if (sampled) series.exemplars[index] = ` # {trace_id="${traceId}"} ${seconds} ${Date.now() / 1000}`;
  }

  /**
   * @param withExemplars which only OpenMetrics allows
   * @returns the histogram in the format of Prometheus
   */
  text(withExemplars = false): string {
    const name = 'http_request_duration_seconds';
    const lines = [`# HELP ${name} Duration of HTTP requests in seconds.`, `# TYPE ${name} histogram`];
    for (const { labels, buckets, exemplars, sum } of this.#series.values()) {
      let count = 0;
      buckets.forEach((value, index) => {
        count += value;
        const bound = String(bounds[index]).replace('Infinity', '+Inf');
        const exemplar = withExemplars ? (exemplars[index] ?? '') : '';
        lines.push(`${name}_bucket{le="${bound}",${labels}} ${count}${exemplar}`);
      });
      lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

/** The media type of OpenMetrics. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Rewrites metrics for OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/): the head of a counter has no
 * `_total`, there are no blank lines, and the text ends with a mark. A registry of the client library prints only one of the formats.
 */
function toOpenMetrics(text: string): string {
  const heads = /^# HELP (\S+)_total (.*)\n# TYPE \1_total counter$/gm;
  const renamed = text.replaceAll(heads, '# HELP $1 $2\n# TYPE $1 counter');
  return `${renamed.replaceAll(/\n+/g, '\n')}# EOF\n`;
}
