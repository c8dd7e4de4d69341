import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Envelope } from '../../../../pkg/client/websocket/envelope.ts';
import { type Context, parseTrace } from '../../../../pkg/context/index.ts';
import { beginSpan } from '../../telemetry/beginSpan.ts';

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
  const attributes = {
    'messaging.system': 'websocket',
    'messaging.operation.type': 'process',
    'messaging.destination.name': type,
    'messaging.message.id': msgId,
    'messaging.client.id': source,
  };
  const options = { kind: SpanKind.CONSUMER, attributes };
  const span = beginSpan(context, `process ${type}`, options, parseTrace(traceparent));
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
