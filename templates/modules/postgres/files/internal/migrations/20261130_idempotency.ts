import { type Kysely, sql } from 'kysely';

/** The keys of `internal/platform/resource/postgresIdempotency.ts`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table idempotency_keys (
      key text primary key,
      fingerprint text not null,
      -- Null while the request is in progress. Not jsonb: a client gets the same bytes again.
      result json,
      expires_at timestamptz not null
    );
    create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at);
  `.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table idempotency_keys`.execute(db);
}
