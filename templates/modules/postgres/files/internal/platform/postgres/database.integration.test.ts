import { describe } from 'vitest';
import { databaseSuite, fastSettings } from './database.suite.ts';
import { idempotencySuite } from './idempotency.suite.ts';
import { serverUrl, testDatabase } from './testing.ts';

const url = serverUrl();

describe.skipIf(!url)('on a PostgreSQL server (needs DATABASE_URL)', () => {
  describe('the database', () => databaseSuite(() => testDatabase({ ...fastSettings, DATABASE_URL: url })));
  describe('keys', () => idempotencySuite(() => testDatabase({ DATABASE_URL: url })));
});
