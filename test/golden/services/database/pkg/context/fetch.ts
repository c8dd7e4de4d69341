import { contextKey, current } from './context.ts';
import { defaultOverheadMs, headerNames, outgoingHeaders } from './headers.ts';
import { type Trace, formatTraceparent } from './trace.ts';

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
