import { ROOT_CONTEXT, type Span, type SpanOptions, trace } from '@opentelemetry/api';
import { type Context, type Trace, runWith } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { enterSpan } from './contextManager.ts';
import { spanContextOf } from './spanContext.ts';

/**
 * Begins the span of work that came from outside, in its own context: what is recorded in it becomes a child.
 * @param context of the work, which is sampled
 * @param name of the span
 * @param options its kind and attributes
 * @param caller where the work stands in the caller's trace, if there is one
 * @returns the span; to be ended by who began it
 */
export function beginSpan(context: Context, name: string, options: SpanOptions, caller: Trace | undefined): Span {
  const parent = caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(caller, true));
  const tracer = trace.getTracer(about.name, about.version);
  const span = runWith(context, () => tracer.startSpan(name, options, parent));
  enterSpan(context, trace.setSpan(parent, span));
  return span;
}
