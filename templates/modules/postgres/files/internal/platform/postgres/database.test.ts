import { describe } from 'vitest';
import { databaseSuite, fastSettings } from './database.suite.ts';
import { testDatabase } from './testing.ts';

describe('the embedded database', () => {
  databaseSuite(() => testDatabase(fastSettings));
});
