import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '@prometheus-io/client';
import { type IsolationLevel, Kysely, PostgresDialect, type Transaction } from 'kysely';
import { Pool, type PoolConfig, TypeOverrides, types } from 'pg';
import { type Static, Type } from 'typebox';
import { about } from '../app/about.ts';
import { rule } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { config } from './config.ts';
import { openEmbedded } from './embedded.ts';
import { sqlState } from './errors.ts';
import { createMetrics, type PostgresMetrics } from './metrics.ts';
import { SupervisedPool } from './pool.ts';

/**
 * Refuses URLs that the client cannot read, such as one with a list of hosts or with `#` in the password; and the embedded database in
 * production, where its data would be lost.
 */
export const rules = [
  rule(Type.Pick(config, ['DATABASE_URL']), ({ DATABASE_URL }, isProduction) => {
    const url = URL.parse(DATABASE_URL);
    const isReadable = url !== null && url.hash === '' && !url.hostname.includes(',');
    if (DATABASE_URL === '' ? !isProduction : isReadable) return undefined;
    return {
      variable: 'DATABASE_URL',
      expected:
        DATABASE_URL === ''
          ? 'a server: with NODE_ENV=production there is no embedded database'
          : 'a URL with one host; the characters # / ? @ : % in user and password are percent-encoded',
      example: 'postgres://user:password@localhost:5432/database',
    };
  }),
];

export interface TransactionOptions {
  /** `read committed` by default. Under `serializable` the database finds conflicts, and the transaction runs again. */
  readonly isolation?: IsolationLevel;
}

/** The database with the tables of one domain slice. */
export interface Database<Tables> {
  /** The query builder. Inside a transaction use `trx` instead. */
  readonly db: Kysely<Tables>;
  /**
   * Runs a transaction, up to five times while it conflicts with another one (serialization failure or deadlock). It is not repeated
   * after a broken connection: the commit may have succeeded.
   * @param run the work; it may run several times, so it changes only the database
   * @param options isolation
   * @returns what `run` returned, after the commit
   * @throws what `run` threw, after the rollback
   */
  readonly transaction: <Value>(
    run: (trx: Transaction<Tables>) => Promise<Value>,
    options?: TransactionOptions,
  ) => Promise<Value>;
}

/** An open database. */
export interface OpenDatabase {
  /** Whether it runs in this process. */
  readonly embedded: boolean;
  readonly metrics: PostgresMetrics;
  /** The database with the tables that the caller names; all of them share one pool. */
  readonly tables: <Tables>() => Database<Tables>;
  /** Whether the server refuses writes; `SupervisedPool.isReadOnly`. */
  readonly isReadOnly: (timeoutMs: number) => Promise<boolean>;
  /** Closes it, when code holds no connection any more. */
  readonly close: () => Promise<void>;
}

export interface OpenOptions {
  /** The values of `config`. */
  readonly settings: Static<typeof config>;
  readonly log: Logger;
  /** Gets the metrics. */
  readonly registry: Registry;
  /** For migrations: one connection, whose statements may take long, but wait for no lock for long. */
  readonly isMigration?: boolean;
}

/**
 * Opens the database of the settings: a server, without waiting for its answer, or the embedded one.
 * @param options settings, log, registry
 * @returns the database
 */
export async function openDatabase({
  settings,
  log,
  registry,
  isMigration = false,
}: OpenOptions): Promise<OpenDatabase> {
  const embedded = settings.DATABASE_URL === '';
  const common = { connectionTimeoutMillis: settings.POSTGRES_CONNECT_TIMEOUT_MS, types: typeParsers() };
  const limits = isMigration ? ofMigrations : ofRequests(settings);
  const { pool, close } = embedded
    ? await openEmbedded(settings.PGLITE_DIR, common)
    : {
        pool: new Pool({ ...common, ...server, ...limits, connectionString: settings.DATABASE_URL }),
        close: async () => {},
      };
  const metrics = createMetrics(registry, pool);
  const supervised = new SupervisedPool(pool, log, metrics);
  const dialect = new PostgresDialect({ pool: supervised });
  return {
    embedded,
    metrics,
    tables: <Tables>(): Database<Tables> => {
      const db = new Kysely<Tables>({ dialect });
      return { db, transaction: (run, options) => transaction(db, metrics, run, options) };
    },
    isReadOnly: (timeoutMs) => supervised.isReadOnly(timeoutMs),
    close: async () => {
      await pool.end();
      await close();
    },
  };
}

const server: PoolConfig = {
  application_name: about.name,
  idleTimeoutMillis: 30_000,
  // A connection that lives for ever would not notice that the server behind the address is another one.
  maxLifetimeSeconds: 1800,
  // A server that is gone is noticed while it has a statement, too. By default, Linux asks after two hours.
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

/** While a migration waits for a table, all other traffic to that table waits behind it. */
const ofMigrations: PoolConfig = { max: 1, lock_timeout: 5000 };

function ofRequests(settings: Static<typeof config>): PoolConfig {
  return {
    max: settings.POSTGRES_POOL_MAX,
    statement_timeout: settings.POSTGRES_STATEMENT_TIMEOUT_MS,
    // Code that holds a transaction open takes a connection, and locks, from all others.
    idle_in_transaction_session_timeout: 30_000,
  };
}

async function transaction<Tables, Value>(
  db: Kysely<Tables>,
  { retries }: PostgresMetrics,
  run: (trx: Transaction<Tables>) => Promise<Value>,
  { isolation }: TransactionOptions = {},
): Promise<Value> {
  const builder = isolation ? db.transaction().setIsolationLevel(isolation) : db.transaction();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await builder.execute(run);
    } catch (error) {
      const state = sqlState(error);
      // serialization_failure and deadlock_detected
      if (attempt >= 5 || (state !== '40001' && state !== '40P01')) throw error;
      retries.inc({ sqlstate: state });
      // Full jitter (AWS Architecture Blog, 2015), so that the same transactions do not meet again.
      await sleep(Math.random() * Math.min(1000, 10 * 2 ** attempt));
    }
  }
}

// oxlint-disable-next-line typescript/no-unsafe-assignment
const parseDate: (text: string) => unknown = types.getTypeParser(types.builtins.TIMESTAMPTZ);
/** Object ids of array types, from PostgreSQL's pg_type.dat. */
const arrays = { text: 1009, int8: 1016, timestamp: 1115, date: 1182, timestamptz: 1185, numeric: 1231 };

/**
 * Makes the parsers of column types. `int8` is a number, and so is `count(*)`; node-postgres would give text. `date` and `timestamp`
 * are text: they have no time zone, and a Date would depend on that of the process. `timestamptz` is text as replies have it. Arrays are
 * as their elements.
 */
function typeParsers(): TypeOverrides {
  const overrides = new TypeOverrides();
  // oxlint-disable-next-line typescript/no-unsafe-assignment
  const texts: (text: string) => Nested = types.getTypeParser(arrays.text);
  overrides.setTypeParser(types.builtins.INT8, parseInt8);
  for (const id of [types.builtins.DATE, types.builtins.TIMESTAMP]) overrides.setTypeParser(id, String);
  overrides.setTypeParser(types.builtins.TIMESTAMPTZ, parseTime);
  overrides.setTypeParser(arrays.int8, (text) => mapNested(texts(text), parseInt8));
  overrides.setTypeParser(arrays.timestamptz, (text) => mapNested(texts(text), parseTime));
  for (const id of [arrays.date, arrays.timestamp, arrays.numeric]) overrides.setTypeParser(id, texts);
  return overrides;
}

type Nested = string | null | readonly Nested[];

function mapNested(value: Nested, parse: (text: string) => unknown): unknown {
  if (value === null) return null;
  return typeof value === 'string' ? parse(value) : value.map((each) => mapNested(each, parse));
}

/** ISO 8601 in UTC with milliseconds. Dates of node-postgres, and their texts, are a sixth of the processor time of a list. */
function parseTime(text: string): string {
  const isUsual = text[10] === ' ' && text.endsWith('+00');
  if (isUsual) return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0').slice(0, 3)}Z`;
  const date = parseDate(text);
  // `infinity`, and years that a Date does not have.
  return date instanceof Date && Number.isFinite(date.getTime()) ? date.toISOString() : text;
}

/** Throws instead of rounding; select a column that needs more than 53 bits as text. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit a number: select it as text`);
  return value;
}
