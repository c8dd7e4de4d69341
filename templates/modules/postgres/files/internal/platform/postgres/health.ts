import { sql } from 'kysely';
import type { Logger } from '../log/logger.ts';
import type { OpenDatabase } from './database.ts';
import { PoolExhaustedError } from './errors.ts';
import { createMigrations } from './migrator.ts';

export interface Health {
  /** Throws what the last check found wrong. */
  readonly assert: () => void;
  /** Ends the checks. */
  readonly stop: () => void;
}

export interface HealthOptions {
  /** The pause between two checks, in milliseconds. */
  readonly intervalMs: number;
  /** How long a check may take, in milliseconds: longer than a wait for a connection. */
  readonly timeoutMs: number;
  /** Hears when what is found changes. */
  readonly log: Logger;
}

/**
 * Asks the database again and again whether it answers, and until it does whether it has seen all migrations of this
 * release. Probes read what was found: they wait for nothing and take no connection.
 * @param database what to ask
 * @param options how often, and how long to wait for the answer
 * @returns the health, after the first check
 */
export async function watchHealth(database: OpenDatabase, options: HealthOptions): Promise<Health> {
  const { intervalMs, timeoutMs, log } = options;
  const { db } = database.tables<unknown>();
  const { metrics } = database;
  const migrations = createMigrations(db);
  let stopped = false;
  let migrated = false;
  let fault: Error | undefined;

  async function assertMigrated(): Promise<void> {
    if (migrated) return;
    const pending = await migrations.pending();
    metrics.pending.set(pending.length);
    if (pending.length > 0) throw new Error(`migrations are pending: ${pending.join(', ')}`);
    migrated = true;
  }

  async function check(): Promise<void> {
    const before = fault?.message;
    let up = 0;
    try {
      // Of a network that swallows packets a connection hears nothing: the time limit is the only sign.
      await sql`select 1`.execute(db, { signal: AbortSignal.timeout(timeoutMs) });
      up = 1;
      await assertMigrated();
      fault = undefined;
      if (before !== undefined) log.info('database is healthy');
    } catch (error) {
      // All connections at work is load, not a fault: out of service, this process would leave its share to the others.
      if (error instanceof PoolExhaustedError || !(error instanceof Error)) return;
      fault = error;
      if (error.message !== before) log.error({ err: error }, 'database is unhealthy');
    }
    metrics.up.set(up);
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
