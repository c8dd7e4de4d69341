import {
  type DiagLogFunction,
  DiagLogLevel,
  type Span,
  type Tracer,
  context as otelContext,
  diag,
  trace,
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
} from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  TracerProvider,
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Static } from 'typebox';
import { Context, current, newSpanId, newTraceId, noTrace, runWith, background } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import type { Tracing } from '../app/tracing.ts';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';
import { begin, beginRequest, contextManager, enterSpan, spanContextOf } from './spans.ts';

export interface RecordingTracing extends Tracing {
  /** Sends the spans that are left, and stops. */
  readonly stop: () => Promise<void>;
}

function ignored(): void {}

/**
 * Starts the OpenTelemetry SDK without its instrumentations: the platform creates the spans of requests and calls.
 * @param settings collector and sampler
 * @param log gets a line when traces cannot be delivered
 * @returns tracing that records
 */
export function startTracing(settings: Static<typeof config>, log: Logger): RecordingTracing {
  const delivery = new Delivery(log);
  let isStarting = true;
  const failed: DiagLogFunction = (...words) => delivery.failed(words.join(' '));
  const warned: DiagLogFunction = (...words) => {
    const [message] = words;
    const dropped = droppedIn(message);
    if (dropped > 0) delivery.failed(message, dropped);
    // At start, of a variable that is not valid; later, for example for each reply of a collector that the SDK does not understand.
    else log[isStarting ? 'warn' : 'debug']({ warning: words.join(' ') }, 'OpenTelemetry warns');
  };
  diag.setLogger(
    { error: failed, warn: warned, info: ignored, debug: ignored, verbose: ignored },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const base = settings.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318';
  const url = settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || `${base.replace(/\/$/, '')}/v1/traces`;
  const sampling = samplingOf(settings);
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(
        resourceFromAttributes({
          [ATTR_SERVICE_NAME]: about.name,
          [ATTR_SERVICE_VERSION]: about.version,
          'k8s.pod.name': settings.K8S_POD_NAME,
          'k8s.namespace.name': settings.K8S_NAMESPACE_NAME,
          'k8s.node.name': settings.K8S_NODE_NAME,
        }),
      )
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    sampler: sampling.sampler,
    idGenerator: { generateTraceId, generateSpanId: newSpanId },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: delivery.watch(new OTLPTraceExporter({ url })),
        scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY,
        exportTimeoutMillis: settings.OTEL_BSP_EXPORT_TIMEOUT,
        maxQueueSize: settings.OTEL_BSP_MAX_QUEUE_SIZE,
        maxExportBatchSize: settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
      }),
    ],
  });
  isStarting = false;
  otelContext.setGlobalContextManager(contextManager);
  trace.setGlobalTracerProvider(provider);
  const tracer = provider.getTracer(about.name, about.version);
  return {
    isSampled: sampling.isSampled,
    beginRequest,
    begin,
    detached: (name, from) => detached(tracer, name, from),
    async stop() {
      await provider.shutdown().catch(ignored);
      trace.disable();
      otelContext.disable();
      diag.disable();
    },
  };
}

/** The number of spans that did not fit into the queue. The SDK reports it only in this message. */
function droppedIn(message: string): number {
  return Number(/^Dropped (\d+) spans/.exec(message)?.[1] ?? 0);
}

/** A context has a trace id before its first span, for example in the log. The span takes that id. */
function generateTraceId(): string {
  const { trace: place } = current();
  return place === noTrace ? newTraceId() : place.traceId;
}

class DetachedContext extends Context {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor(tracer: Tracer, name: string, { id, trace: link }: Context) {
    super({ id, link, trace: { traceId: newTraceId(), spanId: newSpanId(), sampled: true } });
    this.#tracer = tracer;
    const links = [{ context: spanContextOf(link) }];
    this.#span = runWith(this, () => tracer.startSpan(name, { root: true, links }));
    enterSpan(this, trace.setSpan(otelContext.active(), this.#span));
  }

  override detached(name: string): Context {
    return detached(this.#tracer, name, this) ?? super.detached(name);
  }

  override cancel(reason?: Error): void {
    super.cancel(reason);
    if (this.#span.isRecording()) this.#span.end();
  }
}

function detached(tracer: Tracer, name: string, from: Context): Context | undefined {
  return from.trace.sampled ? new DetachedContext(tracer, name, from) : undefined;
}

/** One decision, in two forms. */
interface Sampling {
  /** For a request, before any span is created: an unsampled request then costs no span. */
  readonly isSampled: Tracing['isSampled'];
  /** For the SDK, when a span is created. */
  readonly sampler: Sampler;
}

const parentBased = 'parentbased_';

/**
 * The package `sdk-trace` does not read these variables itself.
 * @param settings name and argument of the sampler
 * @returns the sampler
 */
export function samplingOf({
  OTEL_TRACES_SAMPLER: name,
  OTEL_TRACES_SAMPLER_ARG: ratio,
}: Pick<Static<typeof config>, 'OTEL_TRACES_SAMPLER' | 'OTEL_TRACES_SAMPLER_ARG'>): Sampling {
  const followsParent = name.startsWith(parentBased);
  const root = rootOf(name.replace(parentBased, ''), ratio);
  // Detached work is recorded when the work that started it is recorded.
  const linking: Sampler = {
    shouldSample: (...args) =>
      args[5].some(({ context }) => Boolean(context.traceFlags & TraceFlags.SAMPLED))
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : root.shouldSample(...args),
    toString: () => `FollowLinks{${root.toString()}}`,
  };
  return {
    isSampled: (traceId, parent) =>
      followsParent && parent !== undefined
        ? parent.sampled
        : root.shouldSample(ROOT_CONTEXT, traceId, '', SpanKind.SERVER, {}, []).decision ===
          SamplingDecision.RECORD_AND_SAMPLED,
    sampler: followsParent ? new ParentBasedSampler({ root: linking }) : linking,
  };
}

function rootOf(name: string, ratio: number): Sampler {
  if (name === 'always_on') return new AlwaysOnSampler();
  if (name === 'always_off') return new AlwaysOffSampler();
  return new TraceIdRatioBasedSampler(ratio);
}

/** Milliseconds without a loss until delivery counts as restored: a slow collector takes some spans and loses others. */
const calmMs = 60_000;

/** Logs one line when traces cannot be delivered, and one when they can be again. */
export class Delivery {
  readonly #log: Logger;
  #failing = false;
  #failedAt = 0;
  #lost = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * @param error the reason
   * @param spans number of lost spans
   */
  failed(error: unknown, spans = 0): void {
    this.#lost += spans;
    this.#failedAt = performance.now();
    if (this.#failing) return;
    this.#failing = true;
    // Some request has set the timer that sends spans. The line is not about that request.
    runWith(background, () => this.#log.warn({ err: error }, 'traces cannot be delivered'));
  }

  /** Call it when spans have been delivered. */
  succeeded(): void {
    if (!this.#failing || performance.now() - this.#failedAt < calmMs) return;
    runWith(background, () => this.#log.info({ lost: this.#lost }, 'traces are delivered again'));
    this.#failing = false;
    this.#lost = 0;
  }

  /**
   * @param exporter sends spans
   * @returns the same exporter, with its results watched
   */
  watch(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.code === ExportResultCode.SUCCESS) this.succeeded();
          else this.failed(result.error, spans.length);
          done(result);
        }),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
      shutdown: () => exporter.shutdown(),
    };
  }
}
