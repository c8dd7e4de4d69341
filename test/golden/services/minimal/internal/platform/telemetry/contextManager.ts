import { type Context as OtelContext, type ContextManager, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  type Context,
  type Trace,
  callSpans,
  contextKey,
  current,
  noTrace,
  runWith,
} from '../../../pkg/context/index.ts';
import { beginCall } from './callSpan.ts';
import { spanContextOf, traceOf } from './spanContext.ts';

/** OpenTelemetry's own context, where a span was begun. */
const activeKey = contextKey<OtelContext>('OpenTelemetry');

/**
 * What is recorded from here on becomes a child of a span: what libraries do, and calls to other services.
 * @param context of the work
 * @param active OpenTelemetry's own context, with the span
 */
export function enterSpan(context: Context, active: OtelContext): void {
  const span = trace.getSpanContext(active);
  if (span !== undefined) context.trace = traceOf(span);
  context.set(activeKey, active);
  context.set(callSpans, beginCall);
}

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
    enterSpan(context, active);
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

function rootFor(place: Trace): OtelContext {
  return place === noTrace ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(place));
}
