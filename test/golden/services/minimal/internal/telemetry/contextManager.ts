import {
  type Context as OtelContext,
  type ContextManager,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { type Trace, contextKey, current, noTrace, runWith } from '../../pkg/context/index.ts';

/** OpenTelemetry's own context, where a span was begun. */
export const activeKey = contextKey<OtelContext>('OpenTelemetry');

/**
 * Keeps OpenTelemetry's context in ours, and so in the one AsyncLocalStorage: what a library records becomes a child of the
 * request's span.
 */
export const contextManager: ContextManager = {
  active() {
    const context = current();
    return context.get(activeKey) ?? rootFor(context.trace);
  },
  with(active, work, thisArg, ...args) {
    const context = current().child();
    context.set(activeKey, active);
    const span = trace.getSpanContext(active);
    if (span !== undefined) context.trace = traceOf(span);
    return runWith(context, () => work.call(thisArg, ...args));
  },
  bind(active, target) {
    if (typeof target !== 'function') return target;
    return new Proxy(target, {
      apply: (work, thisArg, args: unknown[]): unknown =>
        contextManager.with(active, (): unknown => Reflect.apply(work, thisArg, args)),
    });
  },
  enable: () => contextManager,
  disable: () => contextManager,
};

/**
 * @param place in a trace
 * @param isRemote whether it is that of a caller, in another process
 * @returns the same in OpenTelemetry's words
 */
export function spanContextOf({ traceId, spanId, sampled, state }: Trace, isRemote = false): SpanContext {
  return {
    traceId,
    spanId,
    isRemote,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(state === undefined ? {} : { traceState: new TraceState(state) }),
  };
}

function traceOf({ traceId, spanId, traceFlags, traceState }: SpanContext): Trace {
  const place = { traceId, spanId, sampled: Boolean(traceFlags & TraceFlags.SAMPLED) };
  return traceState === undefined ? place : { ...place, state: traceState.serialize() };
}

function rootFor(place: Trace): OtelContext {
  return place === noTrace ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(place));
}
