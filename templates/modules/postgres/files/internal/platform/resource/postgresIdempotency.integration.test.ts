import { describe } from 'vitest';
import { idempotencySuite } from './postgresIdempotency.suite.ts';
import { serverUrl, testDatabase } from '../postgres/testing.ts';

const url = serverUrl();

describe.skipIf(!url)('the keys on a PostgreSQL server (needs DATABASE_URL)', () => {
  idempotencySuite(() => testDatabase({ DATABASE_URL: url }));
});
