import { readdirSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openProxy } from '../../../test/support/proxy.ts';
import { createLogger } from '../log/logger.ts';
import { migrate } from './migrate.ts';
import { DatabaseUnavailableError } from './errors.ts';
import { LogLines, createDatabase, serverUrl } from './testing.ts';
import { testService } from './testService.ts';

const server = serverUrl();

describe.skipIf(!server)('the module, on a PostgreSQL server (needs DATABASE_URL)', () => {
  it('is unhealthy until it is migrated, and while the server is unavailable', async () => {
    const { url, drop } = await createDatabase(server ?? '');
    onTestFinished(drop);
    const proxy = await openProxy(url, 5432);
    onTestFinished(proxy.close);
    const { service, database, metrics } = await testService({
      DATABASE_URL: proxy.url,
      POSTGRES_HEALTH_INTERVAL_MS: '100',
      POSTGRES_CONNECT_TIMEOUT_MS: '500',
    });
    const becomes = (expected: unknown) =>
      vi.waitFor(async () => expect(await service.health(1000)).toEqual({ postgres: expected }), 60_000);

    const all = readdirSync(path.resolve(import.meta.dirname, '../../migrations'));
    await becomes({ error: expect.stringMatching(/^migrations are pending: .*20261130_idempotency/) });
    expect(await metrics.text()).toContain(`postgres_migrations_pending ${all.length}`);
    expect(await migrate([], { DATABASE_URL: url }, await createLogger('info', new LogLines()))).toBe(0);
    await becomes('ok');

    proxy.set('cut');
    await expect(sql`select 1`.execute(database.db)).rejects.toThrow(DatabaseUnavailableError);
    await becomes({ error: 'The database is unavailable. Try again.' });
    expect(await metrics.text()).toContain('postgres_up 0');

    proxy.set('open');
    await becomes('ok');

    // The network swallows all packets: nobody says that the connection is gone.
    proxy.set('stalled');
    await becomes({ error: 'the health check of the database took longer than 500 ms' });
    await becomes({ error: 'The database is unavailable. Try again.' });
    proxy.set('open');
    await becomes('ok');
    expect((await sql`select 1 as one`.execute(database.db)).rows).toEqual([{ one: 1 }]);

    expect(await service.stop(0, 5000)).toBe(true);
  });
});
