import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { current } from '../../../pkg/context/index.ts';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { principalKey } from '../identity/module.ts';

/**
 * @param value that stands in JSON
 * @returns a text that tells it from any other; the order of keys does not count, for nobody vouches for it
 */
export function fingerprintOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value, sorted) ?? '');
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

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

/** What is known of a key. */
export interface IdempotencyRecord {
  /** Tells the request for which the key was taken from any other. */
  readonly fingerprint: string;
  /** What came of it, as JSON holds it; `undefined` while it is in flight. */
  readonly result?: unknown;
}

/** Where keys are kept. In production it is shared by all instances and outlives them: see docs/http.md. */
export interface IdempotencyStore {
  /**
   * Takes a key, unless it is taken: in one step, so that of two requests one gets it.
   * @returns `undefined` when it was free; otherwise what is known of it
   */
  claim(key: string, fingerprint: string): Promise<IdempotencyRecord | undefined>;
  /** The work is done. */
  complete(key: string, result: unknown): Promise<void>;
  /** The work failed: whoever tries again may have the key. */
  release(key: string): Promise<void>;
}

/** For the `headers` of a route whose requests may be sent again. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Chosen by the client, unique to this request: sent again with the same key, it is carried out once',
    }),
  ),
});

/**
 * Does the work of a request once, however often the request is sent (draft-ietf-httpapi-idempotency-key-header). Without a key it
 * just does the work; work that throws may be tried again.
 * @param store where keys are kept
 * @param request its Idempotency-Key, route and body; who sends it, when that is known
 * @param schema of what the work gives
 * @param work gives what the reply is made of
 * @returns what the work gave, now or before
 * @throws {ServiceError} 422 when the key belongs to another request, 409 while the first is still in flight
 */
export async function once<Result extends TSchema>(
  store: IdempotencyStore,
  request: FastifyRequest,
  schema: Result,
  work: () => Promise<Static<Result>>,
): Promise<Static<Result>> {
  const { 'idempotency-key': given } = request.headers;
  if (given === undefined) return work();
  // A key is chosen by its client: another client may choose the same, and must not get this one's reply.
  const subject = current().get(principalKey)?.subject;
  const key = JSON.stringify([subject, request.method, request.routeOptions.url, given]);
  const fingerprint = fingerprintOf([request.url, request.body]);
  const known = await store.claim(key, fingerprint);
  if (known !== undefined) return Value.Parse(schema, resultOf(known, fingerprint));
  const result = await attempt(work, () => store.release(key));
  await store.complete(key, result);
  return result;
}

/** Not around `complete`: work that was done is not to be done again because nobody could note it. */
async function attempt<Result>(work: () => Promise<Result>, failed: () => Promise<void>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await failed();
    throw error;
  }
}

function resultOf(known: IdempotencyRecord, fingerprint: string): unknown {
  if (known.fingerprint !== fingerprint) {
    throw new ServiceError({
      code: 'idempotency_key_reused',
      status: 422,
      publicMessage: 'Another request was sent with this Idempotency-Key.',
    });
  }
  if (known.result === undefined) {
    throw new ServiceError({
      code: 'idempotency_key_in_flight',
      status: 409,
      publicMessage: 'The first request with this Idempotency-Key is still being worked on. Try again.',
      retryable: true,
      retryAfterMs: 1000,
    });
  }
  return known.result;
}
