import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { IdempotencyStore } from './idempotency.ts';
import { postgresIdempotency } from './postgresIdempotency.ts';
import type { TestDatabase } from '../postgres/testing.ts';

/**
 * What holds of the store of keys on every database.
 * @param open opens a fresh one
 */
export function idempotencySuite(open: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  let db: Kysely<unknown>;
  let store: IdempotencyStore;
  beforeAll(async () => {
    database = await open();
    ({ db } = database.tables<unknown>());
    store = postgresIdempotency({ db });
  });
  afterAll(() => database.close());

  const pass = (time: string) =>
    sql`update idempotency_keys set expires_at = expires_at - ${time}::interval`.execute(db);
  const count = async () =>
    (await sql<{ count: number }>`select count(*) as count from idempotency_keys`.execute(db)).rows[0]?.count;

  it('gives a key to one of several requests, and its result to the others', async () => {
    const key = randomUUID().repeat(100);
    const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(key, 'print')));
    expect(claims.filter((claim) => claim === undefined)).toHaveLength(1);
    expect(claims.filter((claim) => claim !== undefined)).toEqual(
      Array.from({ length: 7 }, () => ({ fingerprint: 'print' })),
    );
    const result = { z: '1', a: [1.5, null], text: 'é' };
    await store.complete(key, result);
    const known = await store.claim(key, 'other');
    expect(known).toEqual({ fingerprint: 'print', result });
    expect(JSON.stringify(known?.result)).toBe(JSON.stringify(result));
    await store.release(key);
    expect(await store.claim(key, 'other')).toEqual(known);
  });

  it('frees the key of work that failed', async () => {
    const key = randomUUID();
    await store.claim(key, 'first');
    await store.release(key);
    expect(await store.claim(key, 'second')).toBeUndefined();
  });

  it('frees the key of a process that ended in the middle of a request, after a minute', async () => {
    const key = randomUUID();
    await store.claim(key, 'first');
    await pass('55 seconds');
    expect(await store.claim(key, 'second')).toEqual({ fingerprint: 'first' });
    await pass('10 seconds');
    const claims = await Promise.all(Array.from({ length: 8 }, () => store.claim(key, 'second')));
    expect(claims.filter((claim) => claim === undefined)).toHaveLength(1);
  });

  it('keeps a result for a day, and removes it afterwards', async () => {
    const keys = Array.from({ length: 5 }, () => randomUUID());
    for (const key of keys) {
      await store.claim(key, 'print');
      await store.complete(key, {});
    }
    await pass('23 hours');
    expect(await store.claim(keys[0] ?? '', 'print')).toEqual({ fingerprint: 'print', result: {} });
    await pass('2 hours');
    await store.claim(randomUUID(), 'print');
    expect(await count()).toBe(1);
  });
}
