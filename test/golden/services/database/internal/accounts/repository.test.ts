import { describe } from 'vitest';
import { testDatabase } from '../platform/postgres/testing.ts';
import { repositorySuite } from './repository.suite.ts';

describe('accounts in the embedded database', () => {
  repositorySuite(() => testDatabase());
});
