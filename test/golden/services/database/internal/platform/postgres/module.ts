import { defineModule } from '../app/module.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { type Database, openDatabase } from './database.ts';
import { watchHealth } from './health.ts';
import { createMigrations } from './migrator.ts';

/** What the module gives to those that require it. */
export interface Postgres {
  /**
   * The database with the tables that a domain slice names as its own:
   * `use(postgres).tables<{ accounts: AccountsTable }>()`.
   */
  readonly tables: <Tables>() => Database<Tables>;
}

/** The database: a PostgreSQL server, or PGlite inside the process when no server is configured. */
export const postgres = defineModule({
  name: 'postgres',
  config,
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
      // Nobody else can reach it. A server is never migrated from here: replicas of two releases run beside each other.
      await createMigrations(database.tables<unknown>().db).up();
    }
    const intervalMs = settings.POSTGRES_HEALTH_INTERVAL_MS;
    const timeoutMs = settings.POSTGRES_CONNECT_TIMEOUT_MS + intervalMs;
    const health = await watchHealth(database, { intervalMs, timeoutMs, log });
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
