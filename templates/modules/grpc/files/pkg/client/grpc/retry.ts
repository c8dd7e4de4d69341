import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { ServiceError, chain } from '../../errors/index.ts';

/** How often to try, and how long to wait in between. */
export interface Retries {
  /** Tries in all; 1 for no other. */
  readonly attempts: number;
  /** Milliseconds before the second try; each further one waits twice as long. Half of it is random. */
  readonly waitMs: number;
}

/** A callee that stops refuses what comes late: until the connection to another one stands. */
const refusedAttempts = 5;

/**
 * Tries again what failed with UNAVAILABLE, if it may be done twice by its contract, or has certainly not been done once.
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
      if (!(error instanceof ServiceError) || signal.aborted) throw error;
      const wasRefused = isRefusal(error);
      if (!wasRefused && error.grpcStatus !== 'UNAVAILABLE') throw error;
      if (count >= (wasRefused ? Math.max(attempts, refusedAttempts) : most)) throw error;
      const ms = error.retryAfterMs ?? waitMs * 2 ** (count - 1) * (0.5 + Math.random() / 2);
      // A signal that ends the wait: the next try throws what it says.
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** HTTP/2 has refused to begin: the callee has not seen the call (RFC 9113, 8.7). */
function isRefusal(error: ServiceError): boolean {
  for (const each of chain(error)) {
    if (each instanceof Error && each.message.includes('NGHTTP2_REFUSED_STREAM')) return true;
  }
  return false;
}
