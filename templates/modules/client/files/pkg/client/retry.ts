/** How often a call is tried, and how long it waits between. */
export interface RetryPolicy {
  /** How often in all. */
  readonly attempts: number;
  /** Milliseconds before the second attempt, at most; twice as many before each that follows. */
  readonly baseMs: number;
  /** The most milliseconds before any. */
  readonly maxMs: number;
}

/**
 * Exponential with full jitter: whoever failed together does not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param attempt that has failed, from 1
 * @param policy how long to wait
 * @param random gives a number from 0 to 1
 * @returns milliseconds to wait before the next one
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: RetryPolicy, random = Math.random): number {
  return random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1));
}

/**
 * Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date.
 * @param value of the header
 * @param now milliseconds since 1970
 * @returns milliseconds to wait; undefined when it says nothing
 */
export function retryAfterMs(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}

/**
 * @param ms milliseconds
 * @param signal ends the wait
 * @throws the signal's reason
 */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
