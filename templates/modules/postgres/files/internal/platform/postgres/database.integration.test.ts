import { describe } from 'vitest';
import { databaseSuite, fastSettings } from './database.suite.ts';
import { serverUrl, testDatabase } from './testing.ts';

const url = serverUrl();

describe.skipIf(!url)('the database on a PostgreSQL server (needs DATABASE_URL)', () => {
  databaseSuite(() => testDatabase({ ...fastSettings, DATABASE_URL: url }));
});
