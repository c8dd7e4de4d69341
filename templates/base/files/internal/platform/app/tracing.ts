import type { IncomingMessage, ServerResponse } from 'node:http';
import { Type } from 'typebox';
import type { Context, Trace } from '../../../pkg/context/index.ts';
import { defineModule } from './module.ts';

/** Attributes of a span, named by OpenTelemetry's semantic conventions. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** The span of work that came from outside. */
export interface Incoming {
  readonly name: string;
  readonly kind: 'server' | 'consumer';
  readonly attributes: SpanAttributes;
  /** The caller's trace, if any. */
  readonly parent: Trace | undefined;
}

/** Ends a span, with attributes that are known only now, and `error.type` when it failed. */
export type EndSpan = (attributes: SpanAttributes, fault?: string) => void;

/** What the platform needs of tracing. */
export interface Tracing {
  /** Decides, before any span is created, whether the spans of a trace are recorded. `parent` is the caller's trace. */
  readonly isSampled: (traceId: string, parent: Trace | undefined) => boolean;
  /** Begins the span of a sampled HTTP request in the request's context. It ends with the reply. */
  readonly beginRequest: (
    context: Context,
    request: IncomingMessage,
    response: ServerResponse,
    route: string | undefined,
  ) => void;
  /** Begins the span of any other sampled work in the context of that work. */
  readonly begin: (context: Context, incoming: Incoming) => EndSpan;
}

/** Records nothing, and passes the caller's trace on. */
export const noTracing: Tracing = {
  isSampled: (_traceId, parent) => parent?.sampled ?? false,
  beginRequest: () => {},
  begin: () => () => {},
};

/** The tracing in use. A module that records traces completes this one, and sets `current` in its start. */
export const tracing = defineModule({
  name: 'tracing',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: { current: noTracing } }),
});
