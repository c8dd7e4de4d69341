import { describe } from 'vitest';
import { serverUrl, testRepository } from '../platform/postgres/testing.ts';
import { postgresItems } from './postgres.ts';
import { itemRepositorySuite } from './repository.suite.ts';

const url = serverUrl();

describe.skipIf(!url)('items on a PostgreSQL server (needs DATABASE_URL)', () => {
  itemRepositorySuite(() => testRepository(postgresItems, { DATABASE_URL: url }));
});
