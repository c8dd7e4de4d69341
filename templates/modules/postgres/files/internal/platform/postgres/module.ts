import { sql } from 'kysely';
import { defineModule } from '../app/module.ts';
import type { Logger } from '../log/logger.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { type Database, type OpenDatabase, openDatabase, rules } from './database.ts';
import { PoolExhaustedError } from './errors.ts';
import { createMigrations } from './migrate.ts';

/** What `use(postgres)` gives. */
export interface Postgres {
  /** The database with the tables of a domain slice: `use(postgres).tables<{ accounts: AccountsTable }>()`. */
  readonly tables: <Tables>() => Database<Tables>;
}

/** The database: a PostgreSQL server, or PGlite inside the process when no server is configured. */
export const postgres = defineModule({
  name: 'postgres',
  config,
  rules,
  requires: [metrics],
  async start({ config: settings, log, use }) {
    const database = await openDatabase({ settings, log, registry: use(metrics).registry });
    if (database.embedded) {
      log.warn(
        { dataDir: settings.PGLITE_DIR },
        settings.PGLITE_DIR === ''
          ? 'embedded database, in memory: its data ends with the process (set DATABASE_URL for a server)'
          : 'embedded database, for development (set DATABASE_URL for a server)',
      );
      // No other process uses it. A server is not migrated here: replicas of two releases run at the same time.
      await createMigrations(database.tables<unknown>().db).up();
    }
    const intervalMs = settings.POSTGRES_HEALTH_INTERVAL_MS;
    const timeoutMs = settings.POSTGRES_CONNECT_TIMEOUT_MS + intervalMs;
    const health = await watchHealth(database, log, intervalMs, timeoutMs);
    const value: Postgres = { tables: database.tables };
    return {
      value,
      health: health.assert,
      stop: async (signal) => {
        health.stop();
        await database.close(signal);
      },
    };
  },
});

/**
 * Checks regularly that the database answers, and that it has all migrations of this release. Probes read the last result: they
 * wait for nothing and take no connection.
 * @param database the database to check
 * @param log gets a line when the result changes
 * @param intervalMs the pause between two checks
 * @param timeoutMs how long a check may take: longer than a wait for a connection
 * @returns after the first check: `assert` throws the fault that the last check found, `stop` ends the checks
 */
export async function watchHealth(database: OpenDatabase, log: Logger, intervalMs: number, timeoutMs: number) {
  const { db } = database.tables<unknown>();
  const migrations = createMigrations(db);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let migrated = false;
  let fault: Error | undefined;

  async function assertMigrated(): Promise<void> {
    if (migrated) return;
    const pending = await migrations.pending();
    database.metrics.pending.set(pending.length);
    if (pending.length > 0) throw new Error(`migrations are pending: ${pending.join(', ')}`);
    migrated = true;
  }

  async function check(): Promise<void> {
    const before = fault?.message;
    let up = 0;
    try {
      // When the network drops packets silently, only the timeout shows it.
      await sql`select 1`.execute(db, { signal: AbortSignal.timeout(timeoutMs) });
      up = 1;
      await assertMigrated();
      fault = undefined;
      if (before !== undefined) log.info('database is healthy');
    } catch (error) {
      // A full pool is load, not a fault: without this instance the others would have even more of it.
      if (error instanceof PoolExhaustedError || !(error instanceof Error)) return;
      fault = error;
      if (error.message !== before) log.error({ err: error }, 'database is unhealthy');
    }
    database.metrics.up.set(up);
  }

  async function watch(): Promise<void> {
    await check();
    if (!stopped) timer = setTimeout(() => void watch(), intervalMs).unref();
  }

  await watch();
  return {
    assert: (): void => {
      if (fault) throw fault;
    },
    stop: (): void => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
