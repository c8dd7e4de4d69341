import { describe } from 'vitest';
import { serverUrl, testDatabase } from '../platform/postgres/testing.ts';
import { repositorySuite } from './repository.suite.ts';

const url = serverUrl();

describe.skipIf(!url)('accounts on a PostgreSQL server (needs DATABASE_URL)', () => {
  repositorySuite(() => testDatabase({ DATABASE_URL: url }));
});
