import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Registry } from '@prometheus-io/client';
import { type Kysely, sql } from 'kysely';
import {
  DEFAULT_MIGRATION_TABLE,
  FileMigrationProvider,
  type Migration,
  type MigrationProvider,
  type MigrationResultSet,
  Migrator,
} from 'kysely/migration';
import { checkConfig, ConfigError, type Environment, readConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { config } from './config.ts';
import { type OpenDatabase, openDatabase, rules } from './database.ts';

const folder = fileURLToPath(new URL('../../migrations/', import.meta.url));

/**
 * Stands for a migration that has run, and whose file is not there: the file was removed, or this is an older release. What it made stays
 * in the database. Kysely would refuse to run any migration.
 */
const withoutFile: Migration = { up: async () => {} };

/**
 * @param db the database; while one process migrates it, others wait for its advisory lock
 * @returns the migrations in `internal/migrations/`: `up` runs all that are pending in one transaction, `down` reverts the last one
 */
export function createMigrations(db: Kysely<unknown>) {
  // Git keeps no empty folder: a service without migrations has none.
  const files: MigrationProvider = existsSync(folder)
    ? new FileMigrationProvider({
        fs,
        path,
        migrationFolder: folder,
        import: (file) => import(pathToFileURL(file).href),
        onFileIgnored(file, reason) {
          if (reason === 'NotMigration') throw new Error(`${file} is in the folder of migrations, but exports no "up"`);
        },
      })
    : { getMigrations: async () => ({}) };
  const migrator = async () => {
    // Read before: a migrator holds its connection, and there may be only one.
    const executed = await executedIn(db);
    const getMigrations = async () => ({
      ...Object.fromEntries(executed.map((name) => [name, withoutFile])),
      ...(await files.getMigrations()),
    });
    // A module that is added later may bring a migration with an earlier name.
    return new Migrator({ db, provider: { getMigrations }, allowUnorderedMigrations: true });
  };
  const status = async () => (await migrator()).getMigrations();
  return {
    up: async () => resultsOf(await (await migrator()).migrateToLatest()),
    down: async () => resultsOf(await (await migrator()).migrateDown()),
    /** All of them, in order; those that are pending have no `executedAt`. */
    status,
    pending: async () => (await status()).filter(({ executedAt }) => !executedAt).map(({ name }) => name),
  };
}

/** Returns the names of the migrations that have run. */
async function executedIn(db: Kysely<unknown>): Promise<string[]> {
  const found = await sql<{
    table: string | null;
  }>`select to_regclass(${DEFAULT_MIGRATION_TABLE})::text as table`.execute(db);
  if (found.rows[0]?.table === null) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db);
  return rows.map(({ name }) => name);
}

function resultsOf({ error, results = [] }: MigrationResultSet) {
  if (error !== undefined) {
    const failed = results.find(({ status }) => status === 'Error');
    const what = failed === undefined ? 'the migrations could not run' : `migration ${failed.migrationName} failed`;
    throw new Error(`${what}: nothing was changed`, { cause: error });
  }
  const stuck = results.find(({ status }) => status === 'NotExecuted');
  if (stuck === undefined) return results;
  throw new Error(`${stuck.migrationName} cannot be reverted: its file exports no function "down", or is gone`);
}

/**
 * Runs one command: `up` runs all pending migrations, `down` reverts the last one, `status` lists them.
 * @param args the command; `up` when there is none
 * @param env where the settings are read from
 * @param log gets what was done
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage or settings, 3 `status` found pending migrations
 */
export async function migrate(args: readonly string[], env: Environment, log: Logger): Promise<0 | 1 | 2 | 3> {
  const [command = 'up', ...rest] = args;
  if (!['up', 'down', 'status'].includes(command) || rest.length > 0) {
    log.fatal('usage: migrate [up | down | status]');
    return 2;
  }
  let database: OpenDatabase | undefined;
  try {
    database = await open(env, log);
    const migrations = createMigrations(database.tables<unknown>().db);
    if (command === 'status') {
      const all = await migrations.status();
      for (const { name, executedAt } of all) log.info({ executedAt }, `${executedAt ? 'done   ' : 'pending'} ${name}`);
      return all.every(({ executedAt }) => executedAt) ? 0 : 3;
    }
    const results = await (command === 'up' ? migrations.up() : migrations.down());
    const names = results.map(({ migrationName }) => migrationName);
    log.info({ migrations: names }, `${names.length} migrations ${command === 'up' ? 'run' : 'reverted'}`);
    return 0;
  } catch (err) {
    if (err instanceof ConfigError) {
      log.fatal({ faults: err.faults }, err.message);
      return 2;
    }
    log.fatal({ err }, `migrate ${command} failed`);
    return 1;
  } finally {
    await database?.close();
  }
}

async function open(env: Environment, log: Logger): Promise<OpenDatabase> {
  checkConfig([config], env, rules);
  const settings = readConfig(config, env);
  if (settings.DATABASE_URL === '' && settings.PGLITE_DIR === '') {
    throw new ConfigError([{ variable: 'DATABASE_URL', expected: 'the server to migrate, or a folder in PGLITE_DIR' }]);
  }
  return openDatabase({ settings, log, registry: new Registry(), isMigration: true });
}
