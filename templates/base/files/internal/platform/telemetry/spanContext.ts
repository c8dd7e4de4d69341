import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import type { Trace } from '../../../pkg/context/index.ts';

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

/**
 * @param span in OpenTelemetry's words
 * @returns its place in a trace, in ours
 */
export function traceOf({ traceId, spanId, traceFlags, traceState }: SpanContext): Trace {
  const place = { traceId, spanId, sampled: Boolean(traceFlags & TraceFlags.SAMPLED) };
  return traceState === undefined ? place : { ...place, state: traceState.serialize() };
}
