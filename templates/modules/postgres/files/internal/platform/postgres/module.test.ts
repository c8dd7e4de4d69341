import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { postgres } from './module.ts';
import { type TestService, testService } from './testService.ts';

describe('the module, without a server', () => {
  let started: TestService;

  beforeAll(async () => {
    started = await testService();
  });
  afterAll(() => started.service.stop(0, 5000));

  it('has a migrated database in memory, and warns about it', async () => {
    const { rows } = await sql`select count(*) as count from idempotency_keys`.execute(started.database.db);
    expect(rows).toEqual([{ count: 0 }]);
    expect(started.log.text).toContain('its data ends with the process');
  });

  it('is healthy, also in its metrics', async () => {
    expect(await started.service.health(1000)).toEqual({ postgres: 'ok' });
    const text = await started.metrics.text();
    expect(text).toContain('postgres_up 1');
    expect(text).toContain('postgres_migrations_pending 0');
  });
});

it.each([
  [{}, true],
  [{ DATABASE_URL: 'postgres://localhost/orders' }, true],
  [{ NODE_ENV: 'production', DATABASE_URL: 'postgres://localhost/orders' }, true],
  [{ NODE_ENV: 'production' }, false],
  [{ NODE_ENV: 'production', PGLITE_DIR: '/data' }, false],
  [{ DATABASE_URL: 'postgres://a,b/orders' }, false],
])('the embedded database is refused in production, by name: %j', (env, isAccepted) => {
  let fault = '';
  try {
    checkConfig([postgres.config], env, postgres.rules);
  } catch (error) {
    fault = String(error);
  }
  expect(fault).toMatch(isAccepted ? /^$/ : /^ +DATABASE_URL: expected a/m);
});
