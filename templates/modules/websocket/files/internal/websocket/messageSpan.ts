import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Envelope } from '../../pkg/client/websocket/envelope.ts';
import { type Context, parseTrace, runWith } from '../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { enterSpan } from '../telemetry/contextManager.ts';
import { spanContextOf } from '../telemetry/spanContext.ts';

/** The span of one message, begun. */
export interface MessageSpan {
  readonly end: (error: unknown) => void;
}

/** Begins spans; only a service that sends its traces somewhere loads what it takes. */
export type SpanOf = typeof spanOf;

/**
 * Begins the span of a message that is sampled, in its own context
 * (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/).
 * @param context of the message
 * @param envelope of it
 * @returns what ends it
 */
export function spanOf(context: Context, { type, msgId, source, traceparent }: Envelope): MessageSpan {
  const caller = parseTrace(traceparent);
  const parent = caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(caller, true));
  const attributes = {
    'messaging.system': 'websocket',
    'messaging.operation.type': 'process',
    'messaging.destination.name': type,
    'messaging.message.id': msgId,
    'messaging.client.id': source,
  };
  const options = { kind: SpanKind.CONSUMER, attributes };
  const tracer = trace.getTracer(about.name, about.version);
  const span = runWith(context, () => tracer.startSpan(`process ${type}`, options, parent));
  enterSpan(context, trace.setSpan(parent, span));
  return {
    end(error) {
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        if (error instanceof Error) span.setAttribute('error.type', error.name);
      }
      span.end();
    },
  };
}
