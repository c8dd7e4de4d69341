import type { Registry } from '@prometheus-io/client';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import type { Static } from 'typebox';
import { about } from '../app/about.ts';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';
import { openEmbedded } from './embedded.ts';
import { createMetrics, type PostgresMetrics } from './metrics.ts';
import { SupervisedPool } from './pool.ts';
import { transaction, type TransactionOptions } from './transaction.ts';
import { typeParsers } from './types.ts';

/** The database as a domain slice sees it: with the tables it names as its own, and no others. */
export interface Database<Tables> {
  /** The query builder. Inside a transaction use the transaction in its place. */
  readonly db: Kysely<Tables>;
  /** Runs a transaction, again when it lost against another one: see `transaction`. */
  readonly transaction: <Value>(
    run: (trx: Transaction<Tables>) => Promise<Value>,
    options?: TransactionOptions,
  ) => Promise<Value>;
}

/** An open database, in the hands of who opened it. */
export interface OpenDatabase {
  /** Whether it lives in this process. */
  readonly embedded: boolean;
  readonly metrics: PostgresMetrics;
  /** The database with the tables that the caller names; all views share one pool. */
  readonly tables: <Tables>() => Database<Tables>;
  /** Closes it; connections that are held are waited for, until the signal aborts. */
  readonly close: (signal?: AbortSignal) => Promise<void>;
}

export interface OpenOptions {
  /** What `config` describes. */
  readonly settings: Static<typeof config>;
  /** Hears of connections that break, and of those that are held for long. */
  readonly log: Logger;
  /** Gets the metrics. */
  readonly registry: Registry;
  /** How long a statement may wait for a lock, in milliseconds; for ever unless told. Servers only. */
  readonly lockTimeoutMs?: number;
}

/**
 * Opens the database that the settings name: a server, without waiting for it to answer, or else the embedded one.
 * @param options settings, log, registry
 * @returns the database
 */
export async function openDatabase({ settings, log, registry, lockTimeoutMs = 0 }: OpenOptions): Promise<OpenDatabase> {
  const embedded = settings.DATABASE_URL === '';
  const poolConfig: PoolConfig = {
    connectionTimeoutMillis: settings.POSTGRES_CONNECT_TIMEOUT_MS,
    types: typeParsers(),
  };
  const { pool, close } = embedded
    ? await openEmbedded(settings.PGLITE_DIR, poolConfig)
    : { pool: new Pool({ ...poolConfig, ...serverConfig(settings, lockTimeoutMs) }), close: async () => {} };
  const counts = () => ({
    inUse: pool.totalCount - pool.idleCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  });
  const metrics = createMetrics(registry, counts, pool.options.max);
  const supervised = new SupervisedPool(pool, {
    warnMs: settings.POSTGRES_CHECKOUT_WARN_MS,
    maxMs: settings.POSTGRES_CHECKOUT_MAX_MS,
    log,
    metrics,
  });
  const dialect = new PostgresDialect({ pool: supervised });
  return {
    embedded,
    metrics,
    tables: <Tables>() => view<Tables>(new Kysely({ dialect }), metrics),
    close: async (signal) => {
      await supervised.end(signal);
      await close();
    },
  };
}

function view<Tables>(db: Kysely<Tables>, { retries }: PostgresMetrics): Database<Tables> {
  return {
    db,
    transaction: (run, options) => transaction(db, run, options, (sqlstate) => retries.inc({ sqlstate })),
  };
}

function serverConfig(settings: Static<typeof config>, lockTimeoutMs: number): PoolConfig {
  return {
    connectionString: settings.DATABASE_URL,
    application_name: about.name,
    max: settings.POSTGRES_POOL_MAX,
    idleTimeoutMillis: settings.POSTGRES_IDLE_TIMEOUT_MS,
    statement_timeout: settings.POSTGRES_STATEMENT_TIMEOUT_MS,
    lock_timeout: lockTimeoutMs,
    // The server's own end of a reclaim, should the news of it not arrive there: a second later, so that ours comes first.
    idle_in_transaction_session_timeout: settings.POSTGRES_CHECKOUT_MAX_MS && settings.POSTGRES_CHECKOUT_MAX_MS + 1000,
    keepAlive: true,
  };
}
