import { describe } from 'vitest';
import { serverUrl, testDatabase } from '../postgres/testing.ts';
import { resourceSuite } from './postgres.suite.ts';

const url = serverUrl();

describe.skipIf(!url)('resources on a PostgreSQL server (needs DATABASE_URL)', () => {
  resourceSuite(() => testDatabase({ DATABASE_URL: url }));
});
