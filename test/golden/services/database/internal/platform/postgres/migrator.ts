import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { parse } from 'node:path';
import type { Kysely } from 'kysely';
import {
  type Migration,
  type MigrationInfo,
  type MigrationResult,
  type MigrationResultSet,
  Migrator,
} from 'kysely/migration';

const folder = new URL('../../migrations/', import.meta.url);

/** The migrations of this release, and how far a database has come. */
export interface Migrations {
  /** Runs all that are pending, in one transaction. */
  readonly up: () => Promise<readonly MigrationResult[]>;
  /** Takes back the last one. */
  readonly down: () => Promise<readonly MigrationResult[]>;
  /** All of them, in order; those that are pending have no `executedAt`. */
  readonly status: () => Promise<readonly MigrationInfo[]>;
  /** The names of those that are pending. */
  readonly pending: () => Promise<string[]>;
}

/**
 * @param db the database; while one process migrates it, others wait for its advisory lock
 * @returns the migrations in `internal/migrations/`
 */
export function createMigrations(db: Kysely<unknown>): Migrations {
  // A module that is added later may bring a migration with an earlier name.
  const migrator = new Migrator({ db, provider: { getMigrations }, allowUnorderedMigrations: true });
  const status = () => migrator.getMigrations();
  return {
    up: async () => resultsOf(await migrator.migrateToLatest()),
    down: async () => resultsOf(await migrator.migrateDown()),
    status,
    pending: async () => (await status()).filter(({ executedAt }) => !executedAt).map(({ name }) => name),
  };
}

/** Sources and compiled files alike: a migration is named as its file is, without the extension. */
async function getMigrations(): Promise<Record<string, Migration>> {
  // Git keeps no empty folder: a service without migrations has none.
  const entries = existsSync(folder) ? await readdir(folder) : [];
  const files = entries.filter((file) => /(?<!\.d)\.[jt]s$/.test(file));
  const migrations = files.map(async (file): Promise<[string, Migration]> => {
    const migration: unknown = await import(new URL(file, folder).href);
    if (!isMigration(migration))
      throw new Error(`${file} is in the folder of migrations, but exports no function "up"`);
    return [parse(file).name, migration];
  });
  return Object.fromEntries(await Promise.all(migrations));
}

function isMigration(module: unknown): module is Migration {
  return typeof module === 'object' && module !== null && 'up' in module && typeof module.up === 'function';
}

function resultsOf({ error, results = [] }: MigrationResultSet): readonly MigrationResult[] {
  if (error === undefined) return results;
  const failed = results.find(({ status }) => status === 'Error');
  const what = failed === undefined ? 'the migrations could not run' : `migration ${failed.migrationName} failed`;
  throw new Error(`${what}: nothing was changed`, { cause: error });
}
