import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { createMigrations, migrate } from './migrate.ts';
import { LogLines, testDatabase } from './testing.ts';

const names = readdirSync(new URL('../../migrations/', import.meta.url))
  .map((file) => path.parse(file).name)
  .toSorted();

describe('migrate', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'migrate-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('lists, runs and reverts migrations', async () => {
    const env = { PGLITE_DIR: path.join(directory, 'data') };
    expect(await run(['status'], env)).toMatchObject({ exitCode: 3 });
    expect((await run([], env)).text).toContain(`${names.length} migrations run`);
    const { exitCode, text } = await run(['status'], env);
    expect(exitCode).toBe(0);
    for (const name of names) expect(text).toContain(`done    ${name}`);
    for (const name of names.toReversed()) expect((await run(['down'], env)).text).toContain(name);
    expect((await run(['down'], env)).text).toContain('0 migrations reverted');
  });

  it('keeps what a migration made whose file is gone', async () => {
    const database = await testDatabase();
    const { db } = database.tables<{ kysely_migration: { name: string; timestamp: string } }>();
    const migrations = createMigrations(database.tables<unknown>().db);
    const [reverted] = await migrations.down();
    const gone = { name: '20261129_gone', timestamp: new Date().toISOString() };
    await db.insertInto('kysely_migration').values(gone).execute();
    expect((await migrations.up()).map(({ migrationName }) => migrationName)).toEqual([reverted?.migrationName]);
    expect(await migrations.pending()).toEqual([]);
    await migrations.down();
    await expect(migrations.down()).rejects.toThrow(`${gone.name} cannot be reverted`);
    await database.close();
  });

  it('names what is missing or wrong', async () => {
    for (const args of [['sideways'], ['up', 'up'], ['toString']]) {
      expect(await run(args, {})).toMatchObject({
        exitCode: 2,
        text: expect.stringContaining('usage'),
      });
    }
    expect(await run([], {})).toMatchObject({ exitCode: 2, text: expect.stringContaining('DATABASE_URL') });
    for (const url of [
      'postgres://a,b/orders',
      'postgres://user:pass#word@localhost/orders',
      'postgres://user:1#2@localhost/orders',
    ]) {
      const { exitCode, text } = await run([], { DATABASE_URL: url });
      expect([exitCode, text]).toEqual([2, expect.stringContaining('DATABASE_URL: expected a URL')]);
      expect(text).not.toContain(url);
    }
    expect(await run([], { DATABASE_URL: 'mysql://localhost' })).toMatchObject({ exitCode: 2 });
  });

  it('fails when no server answers', async () => {
    const { exitCode, text } = await run([], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
    expect(exitCode).toBe(1);
    expect(text).toContain('ECONNREFUSED');
  });
});

async function run(args: readonly string[], env: Record<string, string>) {
  const log = new LogLines();
  const exitCode = await migrate(args, env, await createLogger('info', log));
  return { exitCode, text: log.text };
}
