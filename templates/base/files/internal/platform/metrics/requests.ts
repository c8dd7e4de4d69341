/** A traced request, as an example of the requests in a bucket. */
interface Exemplar {
  readonly traceId: string;
  readonly seconds: number;
  /** Unix time in milliseconds. */
  readonly at: number;
}

/** The observations with one set of labels. */
interface Series {
  readonly labels: string;
  /** The number of requests in each bucket; the last element is for those above all bounds. */
  readonly buckets: Float64Array;
  /** By bucket, the last traced request. */
  readonly exemplars: Exemplar[];
  sum: number;
}

/** Upper bounds of the buckets in seconds. */
const bounds = Float64Array.of(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);

const name = 'http_request_duration_seconds';

/** The methods of RFC 9110, 9.3, and PATCH (RFC 5789). The conventions of OpenTelemetry call all others `_OTHER`. */
export const methods: ReadonlySet<string> = new Set('GET HEAD POST PUT PATCH DELETE CONNECT OPTIONS TRACE'.split(' '));

/**
 * A histogram of request durations per route. The client library validates and hashes its labels on each observation, which is much
 * slower: decision 013.
 */
export class RequestDurations {
  /** By route, method and status. */
  readonly #series = new Map<string, Map<string, Map<number, Series>>>();
  readonly #traceIdOf: (() => string | undefined) | undefined;

  /** @param traceIdOf returns the trace of the current request, if it is recorded */
  constructor(traceIdOf?: () => string | undefined) {
    this.#traceIdOf = traceIdOf;
  }

  /**
   * Observes one request.
   * @param method HTTP method; an unknown one counts as `_OTHER`, as in the conventions of OpenTelemetry
   * @param route pattern of the route. Not the path: there is no limit to the number of paths
   * @param status HTTP status code
   * @param seconds duration
   */
  record(method: string, route: string, status: number, seconds: number): void {
    const known = methods.has(method) ? method : '_OTHER';
    const ofRoute = entry(this.#series, route, newMap<string, Map<number, Series>>);
    const statuses = entry(ofRoute, known, newMap<number, Series>);
    const series = statuses.get(status) ?? newSeries(statuses, known, route, status);
    const bucket = bounds.findIndex((bound) => seconds <= bound);
    const index = bucket === -1 ? bounds.length : bucket;
    series.buckets[index] = (series.buckets[index] ?? 0) + 1;
    series.sum += seconds;
    const traceId = this.#traceIdOf?.();
    if (traceId !== undefined) series.exemplars[index] = { traceId, seconds, at: Date.now() };
  }

  /** @returns the histogram in the format of Prometheus */
  text(): string {
    return this.#print(() => '');
  }

  /** @returns the histogram with exemplars, which only OpenMetrics allows */
  textWithExemplars(): string {
    return this.#print(printExemplar);
  }

  #print(suffixOf: (exemplar: Exemplar | undefined) => string): string {
    const lines = [`# HELP ${name} Duration of HTTP requests in seconds.`, `# TYPE ${name} histogram`];
    for (const { labels, buckets, exemplars, sum } of this.#all()) {
      let count = 0;
      buckets.forEach((value, index) => {
        count += value;
        const suffix = suffixOf(exemplars[index]);
        lines.push(`${name}_bucket{le="${bounds[index] ?? '+Inf'}",${labels}} ${count}${suffix}`);
      });
      lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }

  *#all(): Iterable<Series> {
    for (const ofRoute of this.#series.values()) for (const statuses of ofRoute.values()) yield* statuses.values();
  }
}

function printExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  return ` # {trace_id="${exemplar.traceId}"} ${exemplar.seconds} ${exemplar.at / 1000}`;
}

function newSeries(statuses: Map<number, Series>, method: string, route: string, status: number): Series {
  const labels = `method="${method}",route="${escape(route)}",status="${status}"`;
  const series: Series = { labels, buckets: new Float64Array(bounds.length + 1), exemplars: [], sum: 0 };
  statuses.set(status, series);
  return series;
}

function escape(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function newMap<Key, Value>(): Map<Key, Value> {
  return new Map();
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
