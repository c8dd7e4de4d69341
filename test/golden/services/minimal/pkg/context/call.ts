import { current, runWith } from './context.ts';
import { contextFetch } from './fetch.ts';

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
