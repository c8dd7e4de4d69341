import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { matches } from '../../../pkg/validation/index.ts';
import { principalKey } from '../http/requestContext.ts';

/** What a store keeps for a key. */
export interface IdempotencyRecord {
  /** Identifies the first request with the key. */
  readonly fingerprint: string;
  /** The result of the request, as JSON; `undefined` while the request is in progress. */
  readonly result?: unknown;
}

/** Keeps keys. In production all instances share it, and it outlives them. */
export interface IdempotencyStore {
  /**
   * Takes a key in one atomic step, so that only one of two requests gets it.
   * @returns `undefined` when the key was free; otherwise its record
   */
  claim(key: string, fingerprint: string): Promise<IdempotencyRecord | undefined>;
  /** Stores the result of the work. */
  complete(key: string, result: unknown): Promise<void>;
  /** Frees the key after the work failed, so that the client can try again. */
  release(key: string): Promise<void>;
}

/**
 * @param keys largest number of keys; beyond it the oldest one is dropped
 * @param ttlMs milliseconds for which a key is kept
 * @returns a store in the memory of one instance, for development and tests
 */
export function memoryIdempotency({ keys, ttlMs }: { keys: number; ttlMs: number }): IdempotencyStore {
  // A map iterates in the order of insertion, which is also the order in which the records expire.
  const records = new Map<string, IdempotencyRecord & { readonly expires: number }>();

  return {
    async claim(key, fingerprint) {
      const now = performance.now();
      const known = records.get(key);
      if (known !== undefined && known.expires > now) return known;
      records.delete(key);
      for (const [oldest, { expires }] of records) {
        if (expires > now && records.size < keys) break;
        records.delete(oldest);
      }
      records.set(key, { fingerprint, expires: now + ttlMs });
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

/** For the `headers` of a route with idempotent requests. */
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
 * Does the work of a request once, even if the client sends the request again (draft-ietf-httpapi-idempotency-key-header). Without a
 * key it always does the work. Work that throws can be tried again.
 * @param store of keys
 * @param request with its Idempotency-Key
 * @param schema of the result, without `ref`
 * @param work to do
 * @returns the result, new or stored
 * @throws {ServiceError} 422 when the key belongs to another request, 409 while the first request is in progress
 */
export async function once<Result extends TSchema>(
  store: IdempotencyStore,
  request: FastifyRequest,
  schema: Result,
  work: () => Promise<Static<Result>>,
): Promise<Static<Result>> {
  const { 'idempotency-key': given } = request.headers;
  if (given === undefined) return work();
  // Two clients can choose the same key. One must not get the reply to the other.
  const subject = current().get(principalKey)?.subject;
  const key = JSON.stringify([subject, request.method, request.routeOptions.url, given]);
  const fingerprint = hash('sha256', JSON.stringify([request.url, request.body], inOrder));
  const known = await store.claim(key, fingerprint);
  if (known !== undefined) return resultOf(known, fingerprint, schema);
  let result;
  try {
    result = await work();
  } catch (error) {
    await store.release(key);
    throw error;
  }
  // An error here keeps the key: the work is done and must not be done again.
  await store.complete(key, result);
  return result;
}

/** Objects are equal whatever the order of their members. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function resultOf<Result extends TSchema>(
  { fingerprint, result }: IdempotencyRecord,
  expected: string,
  schema: Result,
): Static<Result> {
  if (fingerprint !== expected) {
    throw new ServiceError({
      code: 'idempotency_key_reused',
      status: 422,
      publicMessage: 'Another request was sent with this Idempotency-Key.',
    });
  }
  if (result === undefined) {
    throw new ServiceError({
      code: 'idempotency_key_in_flight',
      status: 409,
      publicMessage: 'The first request with this Idempotency-Key is still being worked on. Try again.',
      retryable: true,
      retryAfterMs: 1000,
    });
  }
  if (matches(schema, result)) return result;
  throw new Error('the stored result of an Idempotency-Key is of another type: the schema has changed since');
}
