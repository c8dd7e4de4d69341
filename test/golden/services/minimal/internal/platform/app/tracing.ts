import type { IncomingMessage, ServerResponse } from 'node:http';
import { Type } from 'typebox';
import { Context, type Trace } from '../../../pkg/context/index.ts';
import { defineModule } from './module.ts';

/** What is known of a span, by the names of OpenTelemetry's semantic conventions. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** The span of work that came from outside. */
export interface Incoming {
  readonly name: string;
  readonly kind: 'server' | 'consumer';
  readonly attributes: SpanAttributes;
  /** The caller's trace, if there is one. */
  readonly parent: Trace | undefined;
}

/**
 * Ends a span.
 * @param attributes that are known only now
 * @param fault `error.type`, when it failed
 */
export type EndSpan = (attributes: SpanAttributes, fault?: string) => void;

/** What the request path asks of tracing. */
export interface Tracing {
  /**
   * Decides before any span is made.
   * @param traceId of the request
   * @param parent the caller's trace, if there is one
   * @returns whether the spans of the trace are recorded
   */
  readonly isSampled: (traceId: string, parent: Trace | undefined) => boolean;
  /**
   * Begins the span of a request by HTTP that is sampled, in its own context; it ends with the reply.
   * @param context of the request
   * @param request as it came in
   * @param response on its way
   * @param route pattern of the route, if one was found
   */
  readonly beginRequest: (
    context: Context,
    request: IncomingMessage,
    response: ServerResponse,
    route: string | undefined,
  ) => void;
  /**
   * Begins the span of any other work that is sampled, in its own context.
   * @param context of the work
   * @param incoming what is known of it
   * @returns what ends the span
   */
  readonly begin: (context: Context, incoming: Incoming) => EndSpan;
  /**
   * @param name what the work is called
   * @param from what it was started from
   * @returns a context for work in a trace of its own, which is recorded when the one it was started from is
   */
  readonly detached: (name: string, from: Context) => Context;
}

/** Records nothing: the trace of the caller is only passed on. */
export const noTracing: Tracing = {
  isSampled: (_traceId, parent) => parent?.sampled ?? false,
  beginRequest: () => {},
  begin: () => () => {},
  detached: (_name, { id, trace }) => new Context({ id, link: trace }),
};

/** Which tracing is in use. A module that records traces completes this one, and sets `current` while it starts. */
export const tracing = defineModule({
  name: 'tracing',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: { current: noTracing } }),
});
