import { type Context, contextKey, current, outOfTime, runWith } from './context.ts';
import { formatTraceparent, noTrace, type Trace } from './trace.ts';

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

/** A call under way that is recorded as a span. */
export interface CallSpan {
  /** Its place in the trace, under which the callee hangs its own. */
  readonly trace: Trace;
  /**
   * Ends it: the head of the reply is there.
   * @param status HTTP status code
   */
  readonly answered: (status: number) => void;
  /**
   * Ends it: there is no reply.
   * @param error that the caller gets
   */
  readonly failed: (error: unknown) => void;
}

/** Begins the span of a call; stands in the contexts that are recorded, and only there. */
export const callSpans = contextKey<(request: Request) => CallSpan | undefined>('spans of calls');

export interface FetchOptions extends RequestInit {
  /** Milliseconds of what is left that are kept back from the callee. */
  readonly overheadMs?: number;
}

/**
 * `fetch` that takes the context along: the callee learns the request's id, its trace and how much time is left, and the call
 * ends when the request does. Where the trace is recorded the call is a span of it, from here until the head of the reply is
 * there or the call has failed; redirects are part of it, reading the body is not.
 * @param input a URL or a request
 * @param options of `fetch`; a signal of its own ends the call too
 * @returns the reply
 * @throws {ServiceError} 504 when there is no time left, at once or later; otherwise what `fetch` throws
 */
export async function contextFetch(
  input: string | URL | Request,
  { overheadMs = defaultOverheadMs, ...options }: FetchOptions = {},
): Promise<Response> {
  const context = current();
  const request = new Request(input, options);
  for (const [name, value] of Object.entries(outgoingHeaders(context, overheadMs))) request.headers.set(name, value);
  const signal = AbortSignal.any([context.signal, request.signal]);
  const span = context.get(callSpans)?.(request);
  if (span === undefined) return fetch(request, { signal });
  request.headers.set(headerNames.traceparent, formatTraceparent(span.trace));
  try {
    const response = await fetch(request, { signal });
    span.answered(response.status);
    return response;
  } catch (error) {
    span.failed(error);
    throw error;
  }
}

/**
 * Makes calls of a client part of the work that they are made from: for `createClient({ baseUrl, beginCall })`. Each takes id and
 * trace along, and has no more time than the work has left.
 * @param timeoutMs milliseconds that the call may take at most
 * @returns a call, as clients have it
 */
export function beginCall(timeoutMs: number) {
  const context = current().child(timeoutMs);
  return {
    signal: context.signal,
    remainingMs: () => context.remainingMs(),
    fetch: (request: Request): Promise<Response> => runWith(context, contextFetch, request),
    end: () => context.cancel(),
  };
}
