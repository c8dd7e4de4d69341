import type { IdempotencyRecord, IdempotencyStore } from './idempotency.ts';

/** How much is kept, and for how long. */
export interface MemoryLimits {
  /** Beyond as many keys the oldest is forgotten. */
  readonly keys: number;
  /** Milliseconds from the first request on. */
  readonly ttlMs: number;
}

/**
 * @param limits keys and time
 * @returns a store in memory, for one instance until it ends: fit for development and tests
 */
export function memoryIdempotency({ keys, ttlMs }: MemoryLimits): IdempotencyStore {
  // In the order in which they were taken, and so in that in which they expire.
  const records = new Map<string, IdempotencyRecord & { readonly expires: number }>();

  const forget = (): void => {
    const now = performance.now();
    for (const [key, { expires }] of records) {
      if (expires > now && records.size < keys) return;
      records.delete(key);
    }
  };

  return {
    async claim(key, fingerprint) {
      const known = records.get(key);
      if (known !== undefined && known.expires > performance.now()) return known;
      records.delete(key);
      forget();
      records.set(key, { fingerprint, expires: performance.now() + ttlMs });
      return undefined;
    },
    async complete(key, result) {
      const record = records.get(key);
      if (record !== undefined) records.set(key, { ...record, result });
    },
    async release(key) {
      records.delete(key);
    },
  };
}
