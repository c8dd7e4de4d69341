import { describe } from 'vitest';
import { idempotencySuite } from './idempotency.suite.ts';
import { testDatabase } from './testing.ts';

describe('the keys in the embedded database', () => {
  idempotencySuite(() => testDatabase());
});
