import { defineModule } from '../app/module.ts';
import type { Logger } from '../log/logger.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { type Database, type OpenDatabase, openDatabase, rules } from './database.ts';
import { PoolExhaustedError } from './errors.ts';
import { createMigrations } from './migrate.ts';

/** What `use(postgres)` gives. */
export interface Postgres {
  /** The database with the tables of a domain slice: `use(postgres).tables<Tables>()`. */
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
    const health = await watchHealth(database, log, intervalMs, settings.POSTGRES_CONNECT_TIMEOUT_MS);
    const value: Postgres = { tables: database.tables };
    return {
      value,
      health: health.report,
      stop: async () => {
        health.stop();
        await database.close();
      },
    };
  },
});

const readOnly = 'impaired: the database is read-only, writes fail';

/**
 * Checks regularly that the database answers, takes writes, and has all migrations of this release. Probes read the last result: they
 * wait for nothing and take no connection. A database that is read-only does not make the instance unready: reads work, and all
 * instances would leave at once.
 * @param database the database to check
 * @param log gets a line when the result changes
 * @param intervalMs the pause between two checks
 * @param timeoutMs milliseconds for the answer of the database
 * @returns after the first check: `report` throws the fault that the last check found, or returns what is impaired; `stop` ends the checks
 */
export async function watchHealth(database: OpenDatabase, log: Logger, intervalMs: number, timeoutMs: number) {
  const migrations = createMigrations(database.tables<unknown>().db);
  const { metrics: measured } = database;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let migrated = false;
  /** A fault, or what is impaired. */
  let found: Error | string | undefined;

  function become(now: Error | string | undefined): void {
    if (String(now) !== String(found)) {
      if (now === undefined) log.info('database is healthy');
      else log.error(now instanceof Error ? { err: now } : {}, now instanceof Error ? 'database is unhealthy' : now);
    }
    found = now;
  }

  async function check(): Promise<void> {
    try {
      const isReadOnly = await database.isReadOnly(timeoutMs);
      measured.up.set(1);
      measured.readOnly.set(isReadOnly ? 1 : 0);
      if (!migrated) {
        const pending = await migrations.pending();
        measured.pending.set(pending.length);
        if (pending.length > 0) return become(new Error(`migrations are pending: ${pending.join(', ')}`));
        migrated = true;
      }
      become(isReadOnly ? readOnly : undefined);
    } catch (error) {
      // A full pool is load, not a fault: without this instance the others would have even more of it.
      if (error instanceof PoolExhaustedError || !(error instanceof Error)) return;
      measured.up.set(0);
      become(error);
    }
  }

  async function watch(): Promise<void> {
    await check();
    if (!stopped) timer = setTimeout(() => void watch(), intervalMs).unref();
  }

  await watch();
  return {
    report: (): string | undefined => {
      if (found instanceof Error) throw found;
      return found;
    },
    stop: (): void => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
