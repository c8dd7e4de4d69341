import { sql } from 'kysely';
import type { Logger } from '../log/logger.ts';
import type { OpenDatabase } from './database.ts';
import { DatabaseUnavailableError, PoolExhaustedError } from './errors.ts';
import { createMigrations } from './migrator.ts';

export interface Health {
  /** Throws what the last check found wrong. */
  readonly assert: () => void;
  /** Ends the checks. */
  readonly stop: () => void;
}

/**
 * Asks the database again and again whether it answers, and until it does whether it has seen all migrations of this
 * release. Probes read what was found: they wait for nothing and take no connection.
 * @param database what to ask
 * @param intervalMs the pause between two checks, in milliseconds
 * @param log hears when what is found changes
 * @returns the health, after the first check
 */
export async function watchHealth(database: OpenDatabase, intervalMs: number, log: Logger): Promise<Health> {
  const { db } = database.tables<unknown>();
  const { metrics } = database;
  const migrations = createMigrations(db);
  let stopped = false;
  let migrated = false;
  let fault: Error | undefined;

  async function ask(): Promise<void> {
    await sql`select 1`.execute(db);
    metrics.up.set(1);
    if (migrated) return;
    const pending = await migrations.pending();
    metrics.pending.set(pending.length);
    if (pending.length > 0) throw new Error(`migrations are pending: ${pending.join(', ')}`);
    migrated = true;
  }

  async function check(): Promise<void> {
    const before = fault?.message;
    try {
      await ask();
      fault = undefined;
      if (before !== undefined) log.info('database is healthy');
    } catch (error) {
      // All connections at work is load, not a fault: out of service, this process would leave its share to the others.
      if (error instanceof PoolExhaustedError || !(error instanceof Error)) return;
      fault = error;
      if (error instanceof DatabaseUnavailableError) metrics.up.set(0);
      if (error.message !== before) log.error({ err: error }, 'database is unhealthy');
    }
  }

  let timer: NodeJS.Timeout | undefined;
  async function watch(): Promise<void> {
    await check();
    if (!stopped) timer = setTimeout(() => void watch(), intervalMs).unref();
  }

  await watch();
  return {
    assert: () => {
      if (fault) throw fault;
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
