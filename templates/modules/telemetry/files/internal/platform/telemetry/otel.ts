import { hostname } from 'node:os';
import {
  type DiagLogFunction,
  DiagLogLevel,
  context as otelContext,
  diag,
  trace,
  ROOT_CONTEXT,
} from '@opentelemetry/api';
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
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Static } from 'typebox';
import { current, newSpanId, newTraceId, noTrace, runWith, background } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import type { Tracing } from '../app/tracing.ts';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';
import { begin, beginRequest, contextManager } from './spans.ts';
import { batchingOf, limitsOf } from './variables.ts';

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
  const warn = warningIn(log);
  diag.setLogger(
    { error: warn, warn, info: ignored, debug: ignored, verbose: ignored },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const base = settings.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://localhost:4318';
  const url = settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? `${base.replace(/\/$/, '')}/v1/traces`;
  const isSampled = samplingOf(settings);
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(
        resourceFromAttributes({
          [ATTR_SERVICE_NAME]: about.name,
          [ATTR_SERVICE_VERSION]: about.version,
          // The name of the pod in Kubernetes.
          'service.instance.id': hostname(),
        }),
      )
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    sampler: samplerOf(isSampled),
    idGenerator: { generateTraceId, generateSpanId: newSpanId },
    spanLimits: limitsOf(process.env),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }), ...batchingOf(process.env) })],
  });
  otelContext.setGlobalContextManager(contextManager);
  trace.setGlobalTracerProvider(provider);
  return {
    isSampled,
    beginRequest,
    begin,
    async stop() {
      await provider.shutdown().catch(ignored);
      trace.disable();
      otelContext.disable();
      diag.disable();
    },
  };
}

/** Milliseconds between two warnings: without a collector, OpenTelemetry warns of each batch. */
const quietMs = 60_000;

function warningIn(log: Logger): DiagLogFunction {
  let warnedAt = -Infinity;
  return (...words) => {
    if (performance.now() - warnedAt < quietMs) return;
    warnedAt = performance.now();
    // Some request has set the timer that sends spans. The line is not about that request.
    runWith(background, () => log.warn({ warning: words.join(' ') }, 'OpenTelemetry warns: traces may be lost'));
  };
}

/** A context has a trace id before its first span, for example in the log. The span takes that id. */
function generateTraceId(): string {
  const { trace: place } = current();
  return place === noTrace ? newTraceId() : place.traceId;
}

/**
 * Decides before any span is created: an unsampled request then costs no span.
 * @param settings name and argument of the sampler
 * @returns whether the spans of a trace are recorded
 */
export function samplingOf({
  OTEL_TRACES_SAMPLER: name,
  OTEL_TRACES_SAMPLER_ARG: share,
}: Pick<Static<typeof config>, 'OTEL_TRACES_SAMPLER' | 'OTEL_TRACES_SAMPLER_ARG'>): Tracing['isSampled'] {
  const followsParent = name.startsWith('parentbased_');
  const ratios: Readonly<Record<string, number>> = { always_on: 1, always_off: 0 };
  const root = new TraceIdRatioBasedSampler(ratios[name.replace('parentbased_', '')] ?? share);
  return (traceId, parent) =>
    followsParent && parent !== undefined
      ? parent.sampled
      : root.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
}

/** For the SDK, when a span is created: the work has decided already, and outside of any work the trace decides. */
function samplerOf(isSampled: Tracing['isSampled']): Sampler {
  return {
    shouldSample(_context, traceId) {
      const { trace: place } = current();
      const isRecorded = place === noTrace ? isSampled(traceId, undefined) : place.sampled;
      return { decision: isRecorded ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
    },
    toString: () => 'AsTheContext',
  };
}
