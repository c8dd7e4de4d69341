import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { IdempotencyRecord, IdempotencyStore } from './idempotency.ts';
import type { Database } from '../postgres/database.ts';

/**
 * Keeps keys in the table of `internal/migrations/20261130_idempotency.ts`, which all instances share. A result is kept for a day. When a
 * process ends in the middle of a request, the key is free after a minute.
 * @param database with that table
 * @returns the store
 */
export function postgresIdempotency({ db }: Pick<Database<unknown>, 'db'>): IdempotencyStore {
  return {
    async claim(given, fingerprint) {
      const key = stored(given);
      for (;;) {
        // Each claim removes some expired keys, so that the table does not grow.
        const claim = sql<{ key: string }>`
          with cleaned as (
            delete from idempotency_keys where key in (
              select key from idempotency_keys where expires_at < now() and key <> ${key} limit 10 for update skip locked
            )
          )
          insert into idempotency_keys (key, fingerprint, expires_at)
          values (${key}, ${fingerprint}, now() + interval '1 minute')
          on conflict (key) do update
            set fingerprint = excluded.fingerprint, result = null, expires_at = excluded.expires_at
            where idempotency_keys.expires_at < now()
          returning key`;
        const { rows: claimed } = await claim.execute(db);
        if (claimed.length > 0) return undefined;
        const known = sql<Row>`select fingerprint, result::text from idempotency_keys where key = ${key}`;
        const [row] = (await known.execute(db)).rows;
        // Without a row, the key has been freed in between.
        if (row !== undefined) return recordOf(row);
      }
    },

    async complete(key, result) {
      await sql`
        update idempotency_keys set result = ${JSON.stringify(result)}, expires_at = now() + interval '1 day'
        where key = ${stored(key)} and result is null`.execute(db);
    },

    async release(key) {
      await sql`delete from idempotency_keys where key = ${stored(key)} and result is null`.execute(db);
    },
  };
}

interface Row {
  readonly fingerprint: string;
  readonly result: string | null;
}

function recordOf({ fingerprint, result }: Row): IdempotencyRecord {
  return result === null ? { fingerprint } : { fingerprint, result: JSON.parse(result) };
}

/** Clients choose keys of any length, and the subject is part of them: the table holds a hash. */
function stored(key: string): string {
  return hash('sha256', key, 'base64url');
}
