import { ServiceError, deadlineExceeded } from '../errors/index.ts';

/**
 * One call with all its attempts. `beginCall` of pkg/context makes it part of the request that the service handles; `directCalls`
 * makes it stand alone.
 */
export interface Call {
  /** Aborts when the time is up, or the request has ended; the call then throws its reason. */
  readonly signal: AbortSignal;
  /** @returns milliseconds that are left; Infinity without a deadline */
  remainingMs(): number;
  /** Sends one request, with the time that is left as X-Request-Timeout. */
  fetch(request: Request): Promise<Response>;
  /** Ends the call: releases its timer. */
  end(): void;
}

/** @param timeoutMs max milliseconds of the call */
export type BeginCall = (timeoutMs: number) => Call;

/** The max delay of a timer, in milliseconds. */
const maxTimerMs = 2 ** 31 - 1;
/** Milliseconds that the service does not get, for the way there and back. */
const overheadMs = 10;

/**
 * For callers that handle no request: a page, a command, a test.
 * @param send in place of the global `fetch`
 * @returns calls that end at their own deadline alone
 */
export function directCalls(send: (request: Request) => Promise<Response> = fetch): BeginCall {
  return (timeoutMs) => {
    const deadline = performance.now() + timeoutMs;
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(deadlineExceeded('The service has not answered in time.'));
    const timer = timeoutMs <= maxTimerMs ? setTimeout(giveUp, timeoutMs) : undefined;
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

/** How often a call is tried, and how long it waits in between. */
export interface RetryPolicy {
  /** The max number of attempts. */
  readonly attempts: number;
  /** Max milliseconds before the second attempt; the limit doubles with each attempt. */
  readonly baseMs: number;
  /** Max milliseconds before any attempt. */
  readonly maxMs: number;
}

export const defaultRetry: RetryPolicy = { attempts: 3, baseMs: 100, maxMs: 2000 };

/**
 * Exponential backoff with full jitter: clients that failed together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param attempt the one that has failed, from 1
 * @param policy limits of the wait
 * @param random gives a number from 0 to 1
 * @returns milliseconds to wait before the next attempt
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: RetryPolicy, random = Math.random): number {
  return random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1));
}

/**
 * Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date.
 * @param value of the header
 * @param now milliseconds since 1970
 * @returns milliseconds to wait; undefined when the header is missing or invalid
 */
export function retryAfterMs(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}

/**
 * Repeats what fails with a `ServiceError` that is retryable, within the deadline of the call.
 * @param attempt sends the request and reads the reply
 * @param isRepeatable whether the request is safe to repeat
 * @param policy how often, and how long to wait in between
 * @param call whose time there is
 * @param signal ends it
 * @returns what the first successful attempt returns
 * @throws what the last attempt throws, or the reason of the signal
 */
export async function withRetries<Value>(
  attempt: () => Promise<Value>,
  isRepeatable: () => boolean,
  policy: RetryPolicy,
  call: Call,
  signal: AbortSignal,
): Promise<Value> {
  for (let count = 1; ; count += 1) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.retryable) throw error;
      if (!isRepeatable() || count >= policy.attempts) throw error;
      const waitMs = Math.max(backoffMs(count, policy), error.retryAfterMs ?? 0);
      if (waitMs >= call.remainingMs()) throw error;
      await wait(waitMs, signal);
    }
  }
}

/**
 * Waits for work that does not observe the signal.
 * @param begin starts the work; nothing happens when it fails after the signal
 * @param signal ends the wait
 * @returns the value of the work
 * @throws the reason of the signal, or what the work throws
 */
export async function orAborted<Value>(begin: () => Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([Promise.resolve().then(begin), promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await orAborted(() => promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
