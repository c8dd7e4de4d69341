import { config } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A number that the SDK takes: the variables that set it, the more special one first, and its range. The defaults are the SDK's. */
interface Numeric {
  readonly variables: readonly string[];
  readonly from: number;
}

/** A timer of Node that waits for more milliseconds fires at once. */
const largest = 2 ** 31 - 1;

const batching = {
  scheduledDelayMillis: { variables: ['OTEL_BSP_SCHEDULE_DELAY'], from: 0 },
  exportTimeoutMillis: { variables: ['OTEL_BSP_EXPORT_TIMEOUT'], from: 1 },
  maxQueueSize: { variables: ['OTEL_BSP_MAX_QUEUE_SIZE'], from: 1 },
  maxExportBatchSize: { variables: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], from: 1 },
} satisfies Record<string, Numeric>;

const limits = {
  attributeCountLimit: { variables: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'], from: 0 },
  attributeValueLengthLimit: {
    variables: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
    from: 0,
  },
  eventCountLimit: { variables: ['OTEL_SPAN_EVENT_COUNT_LIMIT'], from: 0 },
  linkCountLimit: { variables: ['OTEL_SPAN_LINK_COUNT_LIMIT'], from: 0 },
  attributePerEventCountLimit: { variables: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'], from: 0 },
  attributePerLinkCountLimit: { variables: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'], from: 0 },
} satisfies Record<string, Numeric>;

const numerics: readonly Numeric[] = [...Object.values(batching), ...Object.values(limits)];

/** Variables that the libraries read themselves. */
const readByLibraries =
  /^OTEL_EXPORTER_OTLP_(TRACES_)?(HEADERS|TIMEOUT|COMPRESSION|CERTIFICATE|CLIENT_CERTIFICATE|CLIENT_KEY)$/;

/** Values of other variables that say what this service does anyway. */
const obeyed: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
  OTEL_PROPAGATORS: 'tracecontext',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
};

/** What to do instead of setting a variable. The first pattern that matches counts. */
const advice: readonly (readonly [RegExp, string])[] = [
  [/^OTEL_PROPAGATORS$/, 'traceparent and tracestate are read and passed on, and nothing else: set tracecontext'],
  [/METRIC/, 'metrics are served at /metrics of the admin port: let the collector scrape them'],
  [/LOGS|LOGRECORD|BLRP/, 'logs are written to standard output: let the collector read them there'],
  [/_PROTOCOL$/, 'traces are sent by http/protobuf: set the endpoint to the port of the collector for it, often 4318'],
  [/^OTEL_LOG_LEVEL$/, 'set LOG_LEVEL'],
];

/**
 * @param env the environment
 * @returns what the variables say about batches of spans, as the SDK takes it
 */
export function batchingOf(env: Environment): { [name in keyof typeof batching]?: number } {
  const numbers = numbersOf(batching, env);
  // The SDK warns of a batch that is larger than the queue. Its default is 512.
  const { maxQueueSize = Infinity, maxExportBatchSize = 512 } = numbers;
  return maxQueueSize < maxExportBatchSize ? { ...numbers, maxExportBatchSize: maxQueueSize } : numbers;
}

/**
 * @param env the environment
 * @returns what the variables say about the size of a span, as the SDK takes it
 */
export function limitsOf(env: Environment): { [name in keyof typeof limits]?: number } {
  return numbersOf(limits, env);
}

/**
 * As the specification asks, a value that cannot be used is reported and ignored
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * @param env the environment
 * @returns the variables of OpenTelemetry that have no effect, and what to do about each
 */
export function withoutEffect(env: Environment): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(env)) {
    const reason = name.startsWith('OTEL_') && value !== '' ? reasonOf(name, value) : undefined;
    if (reason !== undefined) found[name] = reason;
  }
  return found;
}

function reasonOf(name: string, value: string): string | undefined {
  const numeric = numerics.find(({ variables }) => variables.includes(name));
  if (numeric !== undefined)
    return numberIn(value, numeric) === undefined ? `set an integer from ${numeric.from} to ${largest}` : undefined;
  if (name in config.properties || readByLibraries.test(name) || obeyed[name] === value) return undefined;
  return advice.find(([pattern]) => pattern.test(name))?.[1] ?? 'this service does not support it';
}

function numbersOf<Name extends string>(table: Readonly<Record<Name, Numeric>>, env: Environment) {
  const numbers: { [name in Name]?: number } = {};
  for (const name in table) {
    const values = table[name].variables.map((variable) => numberIn(env[variable] ?? '', table[name]));
    const value = values.find((each) => each !== undefined);
    if (value !== undefined) numbers[name] = value;
  }
  return numbers;
}

function numberIn(text: string, { from }: Numeric): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isInteger(value) && value >= from && value <= largest ? value : undefined;
}
