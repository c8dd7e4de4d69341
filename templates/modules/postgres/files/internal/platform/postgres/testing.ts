import { randomUUID } from 'node:crypto';
import { Registry } from '@prometheus-io/client';
import { sql } from 'kysely';
import { Client } from 'pg';
import { type Environment, readConfig } from '../config/config.ts';
import { createLogger } from '../log/logger.ts';
import { config } from './config.ts';
import { type Database, type OpenDatabase, openDatabase } from './database.ts';
import { createMigrations } from './migrate.ts';

/** The database of one test file. */
export interface TestDatabase extends OpenDatabase {
  readonly registry: Registry;
  /** Its log lines. */
  readonly log: LogLines;
}

/**
 * The server for integration tests.
 * @returns its URL; undefined when there is none, and the tests are skipped
 * @throws {Error} in CI, where these tests must not be skipped
 */
export function serverUrl(): string | undefined {
  const { DATABASE_URL: url, CI: ci } = process.env;
  if (!url && ci) throw new Error('integration tests need a server: set DATABASE_URL');
  return url;
}

/**
 * Opens a fresh database with all migrations: the embedded one or, with a server's URL, a new one on that server.
 * @param env settings that differ from their defaults
 * @returns the database; `close` deletes it
 */
export async function testDatabase(env: Environment = {}): Promise<TestDatabase> {
  const created = env['DATABASE_URL'] ? await createDatabase(env['DATABASE_URL']) : undefined;
  const registry = new Registry();
  const log = new LogLines();
  const settings = readConfig(config, { ...env, ...(created && { DATABASE_URL: created.url }) });
  const database = await openDatabase({ settings, log: await createLogger('debug', log), registry });
  await createMigrations(database.tables<unknown>().db).up();
  return {
    ...database,
    registry,
    log,
    close: async () => {
      await database.close();
      await created?.drop();
    },
  };
}

/**
 * Opens a repository on a fresh database. Its tables do not check what they refer to, so that a test needs the rows of one table only.
 * @param create makes the repository
 * @param env settings that differ from their defaults
 * @returns it; `close` deletes the database
 */
export async function testRepository<Tables, Repository>(
  create: (database: Database<Tables>) => Repository,
  env: Environment = {},
): Promise<{ repository: Repository; close: () => Promise<void> }> {
  const { tables, close } = await testDatabase(env);
  const { db } = tables<unknown>();
  const references = sql<{ statement: string }>`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as statement
    from pg_constraint where contype = 'f'`;
  for (const { statement } of (await references.execute(db)).rows) await sql.raw(statement).execute(db);
  return { repository: create(tables<Tables>()), close };
}

/**
 * Creates an empty database, so that parallel tests do not share one.
 * @param server URL of any database on the server
 * @returns URL of the new one, and how to delete it
 */
export async function createDatabase(server: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => onServer(server, `drop database ${name} with (force)`) };
}

async function onServer(server: string, statement: string): Promise<void> {
  const client = new Client(server);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Collects the lines of a logger in a test, each with one JSON object. */
export class LogLines {
  text = '';

  write(line: string): void {
    this.text += line;
  }
}
