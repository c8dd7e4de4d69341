import { deadlineExceeded } from '../errors/index.ts';

/**
 * One call, all attempts of it included. What calls are part of decides how long they may take and what goes along with their
 * requests: `beginCall` of pkg/context makes them part of the request that is being served, `directCalls` of nothing.
 */
export interface Call {
  /** Aborts when the time is up, or nobody waits any more; its reason is what the caller is thrown. */
  readonly signal: AbortSignal;
  /** @returns milliseconds that are left; Infinity when there is no end */
  remainingMs(): number;
  /** Sends one request; it tells the service how much time is left. */
  fetch(request: Request): Promise<Response>;
  /** Nothing is waited for any more. */
  end(): void;
}

/** @param timeoutMs milliseconds that the call may take at most */
export type BeginCall = (timeoutMs: number) => Call;

/** Longest time a timer can wait, in milliseconds. */
const longestTimer = 2 ** 31 - 1;
/** Milliseconds of what is left that are kept back from the service: for the way there and back. */
const overheadMs = 10;

/**
 * For whoever serves no request himself: a page, a command, a test.
 * @param send in place of the global `fetch`
 * @returns calls that end at their own deadline alone
 */
export function directCalls(send: (request: Request) => Promise<Response> = fetch): BeginCall {
  return (timeoutMs) => {
    const deadline = performance.now() + timeoutMs;
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(deadlineExceeded('The service has not answered in time.'));
    const timer = timeoutMs <= longestTimer ? setTimeout(giveUp, timeoutMs) : undefined;
    const remainingMs = (): number => Math.max(deadline - performance.now(), 0);
    return {
      signal: controller.signal,
      remainingMs,
      fetch(request) {
        const left = remainingMs() - overheadMs;
        if (left !== Infinity) request.headers.set('x-request-timeout', String(Math.max(Math.floor(left), 1)));
        return send(request);
      },
      end: () => clearTimeout(timer),
    };
  };
}
