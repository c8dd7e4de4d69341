export interface BackoffOptions {
  /** Milliseconds: the most that the first wait takes; each further one may take twice as long. */
  readonly baseMs: number;
  /** Milliseconds: the most that any wait takes. */
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: clients that were disconnected together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param attempt how many have failed before, from 0
 * @param options the most it takes
 * @param random from 0 to 1
 * @returns milliseconds to wait
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: BackoffOptions, random = Math.random()): number {
  return random * Math.min(maxMs, baseMs * 2 ** attempt);
}
