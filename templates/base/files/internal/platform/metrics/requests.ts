import { current } from '../../../pkg/context/index.ts';

/** The observations with one set of labels. */
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

const name = 'http_request_duration_seconds';

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
   * @param method HTTP method; an unknown one counts as `_OTHER`, as in the conventions of OpenTelemetry
   * @param route pattern of the route. Not the path: there is no limit to the number of paths
   * @param status HTTP status code
   * @param seconds duration
   */
  record(method: string, route: string, status: number, seconds: number): void {
    const known = methods.has(method) ? method : '_OTHER';
    const key = `${known} ${status} ${route}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      const labels = `method="${known}",route="${escape(route)}",status="${status}"`;
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

function escape(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
