import { describe } from 'vitest';
import { databaseSuite, fastSettings } from './database.suite.ts';
import { idempotencySuite } from './idempotency.suite.ts';
import { testDatabase } from './testing.ts';

describe('the embedded database', () => databaseSuite(() => testDatabase(fastSettings)));
describe('keys in the embedded database', () => idempotencySuite(() => testDatabase()));
