import { Registry } from '@prometheus-io/client';
import { ConfigError, type Environment, readConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { config } from './config.ts';
import { type OpenDatabase, openDatabase } from './database.ts';
import { createMigrations, type Migrations } from './migrator.ts';

/** What `migrate` exits with. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, pending: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const commands = { up, down, status };

/**
 * Runs one command on the migrations: `up` runs all that are pending, `down` takes back the last one, `status` lists them.
 * @param args the command; `up` when there is none
 * @param env where the settings are read from
 * @param log hears what was done
 * @returns what to exit with
 */
export async function migrate(args: readonly string[], env: Environment, log: Logger): Promise<ExitCode> {
  const [name = 'up', ...rest] = args;
  if (!isCommand(name) || rest.length > 0) {
    log.fatal(`usage: migrate [${Object.keys(commands).join(' | ')}]`);
    return exitCodes.badInput;
  }
  let database: OpenDatabase | undefined;
  try {
    database = await open(env, log);
    return await commands[name](createMigrations(database.tables<unknown>().db), log);
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

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}

async function open(env: Environment, log: Logger): Promise<OpenDatabase> {
  const settings = readConfig(config, env);
  if (settings.DATABASE_URL === '' && settings.PGLITE_DIR === '') {
    const expected = 'the server to migrate, or else a directory in PGLITE_DIR';
    throw new ConfigError([{ variable: 'DATABASE_URL', expected }]);
  }
  return openDatabase({
    settings: {
      ...settings,
      // A migration takes its time, and holds its one connection all the while.
      POSTGRES_POOL_MAX: 1,
      POSTGRES_STATEMENT_TIMEOUT_MS: 0,
      POSTGRES_CHECKOUT_WARN_MS: 0,
      POSTGRES_CHECKOUT_MAX_MS: 0,
    },
    log,
    registry: new Registry(),
    // It does not take its time to begin: behind one that waits for a table, all other traffic to that table waits.
    lockTimeoutMs: 5000,
  });
}

async function up(migrations: Migrations, log: Logger): Promise<ExitCode> {
  const results = await migrations.up();
  log.info({ migrations: results.map(({ migrationName }) => migrationName) }, `${results.length} migrations run`);
  return exitCodes.done;
}

async function down(migrations: Migrations, log: Logger): Promise<ExitCode> {
  const [result] = await migrations.down();
  if (result === undefined) log.info('no migration to take back');
  else if (result.status === 'Success') log.info(`${result.migrationName} taken back`);
  else {
    log.fatal(`${result.migrationName} cannot be taken back: it exports no function "down"`);
    return exitCodes.failed;
  }
  return exitCodes.done;
}

async function status(migrations: Migrations, log: Logger): Promise<ExitCode> {
  let pending = 0;
  for (const { name, executedAt } of await migrations.status()) {
    if (!executedAt) pending += 1;
    log.info({ executedAt }, `${executedAt ? 'done   ' : 'pending'} ${name}`);
  }
  return pending === 0 ? exitCodes.done : exitCodes.pending;
}
