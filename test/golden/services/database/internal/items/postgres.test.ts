import { describe } from 'vitest';
import { testRepository } from '../platform/postgres/testing.ts';
import { memoryItems } from './memory.ts';
import { postgresItems } from './postgres.ts';
import { itemRepositorySuite } from './repository.suite.ts';

describe('items in memory', () => {
  itemRepositorySuite(async () => ({ repository: memoryItems() }));
});

describe('items in the embedded database', () => {
  itemRepositorySuite(() => testRepository(postgresItems));
});
