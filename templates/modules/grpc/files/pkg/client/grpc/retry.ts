import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { ServiceError } from '../../errors/index.ts';

/** How often to try, and how long to wait in between. */
export interface Retries {
  /** Tries in all; 1 for no other. */
  readonly attempts: number;
  /** Milliseconds before the second try; each further one waits twice as long. Half of it is random. */
  readonly waitMs: number;
}

/**
 * Tries again what may be done twice, by its contract, and was not done: UNAVAILABLE alone.
 * @param method what is called
 * @param retries how often
 * @param signal ends the waiting
 * @param attempt makes one try
 * @returns what the first good try gives
 * @throws {ServiceError} what the last try threw
 */
export async function retrying<Value>(
  { idempotency }: DescMethod,
  { attempts, waitMs }: Retries,
  signal: AbortSignal,
  attempt: () => Promise<Value>,
): Promise<Value> {
  const most = idempotency === Idempotency.IDEMPOTENCY_UNKNOWN ? 1 : attempts;
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isRefused = error instanceof ServiceError && error.grpcStatus === 'UNAVAILABLE';
      if (!isRefused || count >= most || signal.aborted) throw error;
      const ms = error.retryAfterMs ?? waitMs * 2 ** (count - 1) * (0.5 + Math.random() / 2);
      // A signal that ends the wait: the next try throws what it says.
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}
