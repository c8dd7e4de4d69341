import { type Postgres, postgres } from '../platform/postgres/module.ts';
import { postgresIdempotency } from '../platform/resource/postgresIdempotency.ts';
import { postgresItems } from './postgres.ts';

/** Where the service stores items, and the replies to requests with an Idempotency-Key. */
export const storage = {
  module: postgres,
  repository: ({ tables }: Postgres) => postgresItems(tables()),
  idempotency: ({ tables }: Postgres) => postgresIdempotency(tables()),
};
