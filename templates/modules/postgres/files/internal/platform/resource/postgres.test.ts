import { describe } from 'vitest';
import { testDatabase } from '../postgres/testing.ts';
import { resourceSuite } from './postgres.suite.ts';

describe('resources in the embedded database', () => {
  resourceSuite(() => testDatabase());
});
