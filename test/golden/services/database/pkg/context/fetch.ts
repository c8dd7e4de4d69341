import { current } from './context.ts';
import { defaultOverheadMs, outgoingHeaders } from './headers.ts';

export interface FetchOptions extends RequestInit {
  /** Milliseconds of what is left that are kept back from the callee. */
  readonly overheadMs?: number;
}

/**
 * `fetch` that takes the context along: the callee learns the request's id, its trace and how much time is left, and the call
 * ends when the request does.
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
  return fetch(request, { signal: AbortSignal.any([context.signal, request.signal]) });
}
