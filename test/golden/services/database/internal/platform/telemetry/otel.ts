import {
  type DiagLogFunction,
  DiagLogLevel,
  type Span,
  type Tracer,
  context as otelContext,
  diag,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Static } from 'typebox';
import { Context, current, newSpanId, newTraceId, noTrace, runWith } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import type { Tracing } from '../app/tracing.ts';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';
import { spanContextOf } from './calls.ts';
import { Delivery } from './delivery.ts';
import { samplingOf } from './sampling.ts';
import { begin, beginRequest, contextManager, enterSpan } from './spans.ts';

/** Tracing that records, in the hands of who started it. */
export interface RecordingTracing extends Tracing {
  /** Sends what is left, and ends. */
  readonly stop: () => Promise<void>;
}

function ignored(): void {}

/**
 * Starts the OpenTelemetry SDK, without instrumentation: spans of requests are made here, others by who uses its API.
 * @param settings where to, and which
 * @param log hears when traces cannot be delivered
 * @returns tracing
 */
export function startTracing(settings: Static<typeof config>, log: Logger): RecordingTracing {
  const delivery = new Delivery(log);
  const failed: DiagLogFunction = (...words) => delivery.failed(words.join(' '));
  const warned: DiagLogFunction = (...words) => {
    const [message] = words;
    const dropped = droppedIn(message);
    if (dropped > 0) delivery.failed(message, dropped);
    // That a reply of the collector was not understood, say, with each that comes.
    else log.debug({ warning: words.join(' ') }, 'OpenTelemetry warns');
  };
  diag.setLogger(
    { error: failed, warn: warned, info: ignored, debug: ignored, verbose: ignored },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const url = `${settings.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces`;
  const sampling = samplingOf(settings);
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ [ATTR_SERVICE_NAME]: about.name, [ATTR_SERVICE_VERSION]: about.version }))
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    sampler: sampling.sampler,
    idGenerator: { generateTraceId, generateSpanId: newSpanId },
    spanProcessors: [new BatchSpanProcessor({ exporter: delivery.watch(new OTLPTraceExporter({ url })) })],
  });
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

/** How many spans did not fit into the queue: the SDK says so in these words only. */
function droppedIn(message: string): number {
  return Number(/^Dropped (\d+) spans/.exec(message)?.[1] ?? 0);
}

/** A trace that begins in a context is that context's: its id was there before any span, in the log for one. */
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
    return detached(this.#tracer, name, this);
  }

  override cancel(reason?: Error): void {
    super.cancel(reason);
    if (this.#span.isRecording()) this.#span.end();
  }
}

function detached(tracer: Tracer, name: string, from: Context): Context {
  if (from.trace.sampled) return new DetachedContext(tracer, name, from);
  return new Context({ id: from.id, link: from.trace });
}
