import type { Context } from './context.ts';
import { outOfTime } from './errors.ts';
import { formatTraceparent, noTrace } from './trace.ts';

/** Names of the headers that carry a context, as Node writes them. */
export const headerNames = {
  id: 'x-request-id',
  /** Whole milliseconds that the callee may take, at least 1. */
  timeout: 'x-request-timeout',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;

/** Milliseconds of what is left that are kept back from a callee: for the way there and back, and for what follows. */
export const defaultOverheadMs = 10;

/**
 * @param context of the work that calls
 * @param overheadMs milliseconds kept back
 * @returns the headers that take it to the callee
 * @throws {ServiceError} 504 when there is no time left
 */
export function outgoingHeaders(context: Context, overheadMs = defaultOverheadMs): Record<string, string> {
  context.throwIfEnded();
  const headers: Record<string, string> = {};
  const { id, trace } = context;
  if (id !== '') headers[headerNames.id] = id;
  if (trace.traceId !== noTrace.traceId) {
    headers[headerNames.traceparent] = formatTraceparent(trace);
    if (trace.state !== undefined) headers[headerNames.tracestate] = trace.state;
  }
  const leftMs = Math.floor(context.remainingMs() - overheadMs);
  if (leftMs < 1) throw outOfTime(`call from ${id}`);
  if (leftMs !== Infinity) headers[headerNames.timeout] = String(leftMs);
  return headers;
}

const timeoutPattern = /^0*[1-9]\d*$/;

/**
 * Reads `X-Request-Timeout`: how many whole milliseconds the caller waits, decimal, at least 1.
 * @param value of the header
 * @param maxMs the most that is granted
 * @returns milliseconds; undefined when there is no header, or it says nothing sensible
 */
export function parseTimeout(value: string | undefined, maxMs: number): number | undefined {
  return value !== undefined && timeoutPattern.test(value) ? Math.min(Number(value), maxMs) : undefined;
}
