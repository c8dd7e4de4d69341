import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Registry } from '@prometheus-io/client';
import type { Kysely } from 'kysely';
import { FileMigrationProvider, type MigrationProvider, type MigrationResultSet, Migrator } from 'kysely/migration';
import { checkConfig, ConfigError, type Environment, readConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { config } from './config.ts';
import { type OpenDatabase, openDatabase, rules } from './database.ts';

const folder = fileURLToPath(new URL('../../migrations/', import.meta.url));

/**
 * @param db the database; while one process migrates it, others wait for its advisory lock
 * @returns the migrations in `internal/migrations/`: `up` runs all that are pending in one transaction, `down` reverts the last one
 */
export function createMigrations(db: Kysely<unknown>) {
  // Git keeps no empty folder: a service without migrations has none.
  const provider: MigrationProvider = existsSync(folder)
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
  // A module that is added later may bring a migration with an earlier name.
  const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true });
  const status = () => migrator.getMigrations();
  return {
    up: async () => resultsOf(await migrator.migrateToLatest()),
    down: async () => resultsOf(await migrator.migrateDown()),
    /** All of them, in order; those that are pending have no `executedAt`. */
    status,
    pending: async () => (await status()).filter(({ executedAt }) => !executedAt).map(({ name }) => name),
  };
}

function resultsOf({ error, results = [] }: MigrationResultSet) {
  if (error === undefined) return results;
  const failed = results.find(({ status }) => status === 'Error');
  const what = failed === undefined ? 'the migrations could not run' : `migration ${failed.migrationName} failed`;
  throw new Error(`${what}: nothing was changed`, { cause: error });
}

/** The exit codes of `migrate`. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, pending: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * Runs one command: `up` runs all pending migrations, `down` reverts the last one, `status` lists them.
 * @param args the command; `up` when there is none
 * @param env where the settings are read from
 * @param log gets what was done
 * @returns the exit code
 */
export async function migrate(args: readonly string[], env: Environment, log: Logger): Promise<ExitCode> {
  const [name = 'up', ...rest] = args;
  const command = commands.get(name);
  if (command === undefined || rest.length > 0) {
    log.fatal(`usage: migrate [${[...commands.keys()].join(' | ')}]`);
    return exitCodes.badInput;
  }
  let database: OpenDatabase | undefined;
  try {
    database = await open(env, log);
    return await command(createMigrations(database.tables<unknown>().db), log);
  } catch (err) {
    if (err instanceof ConfigError) {
      log.fatal({ faults: err.faults }, err.message);
      return exitCodes.badInput;
    }
    log.fatal({ err }, `migrate ${name} failed`);
    return exitCodes.failed;
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
  // A migration may take long, and holds its one connection meanwhile.
  const unlimited = { POSTGRES_STATEMENT_TIMEOUT_MS: 0, POSTGRES_CHECKOUT_WARN_MS: 0, POSTGRES_CHECKOUT_MAX_MS: 0 };
  return openDatabase({
    settings: { ...settings, POSTGRES_POOL_MAX: 1, ...unlimited },
    log,
    registry: new Registry(),
    // While a migration waits for a table, all other traffic to that table waits behind it.
    lockTimeoutMs: 5000,
  });
}

type Command = (migrations: ReturnType<typeof createMigrations>, log: Logger) => Promise<ExitCode>;

const commands = new Map<string, Command>([
  [
    'up',
    async (migrations, log) => {
      const results = await migrations.up();
      log.info({ migrations: results.map(({ migrationName }) => migrationName) }, `${results.length} migrations run`);
      return exitCodes.done;
    },
  ],
  [
    'down',
    async (migrations, log) => {
      const [result] = await migrations.down();
      if (result?.status === 'NotExecuted') {
        log.fatal(`${result.migrationName} cannot be reverted: it exports no function "down"`);
        return exitCodes.failed;
      }
      log.info(result === undefined ? 'no migration to revert' : `${result.migrationName} reverted`);
      return exitCodes.done;
    },
  ],
  [
    'status',
    async (migrations, log) => {
      const all = await migrations.status();
      for (const { name, executedAt } of all) log.info({ executedAt }, `${executedAt ? 'done   ' : 'pending'} ${name}`);
      return all.every(({ executedAt }) => executedAt) ? exitCodes.done : exitCodes.pending;
    },
  ],
]);
