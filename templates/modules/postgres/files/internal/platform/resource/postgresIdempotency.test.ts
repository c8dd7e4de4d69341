import { describe } from 'vitest';
import { idempotencySuite } from './postgresIdempotency.suite.ts';
import { testDatabase } from '../postgres/testing.ts';

describe('the keys in the embedded database', () => {
  idempotencySuite(() => testDatabase());
});
