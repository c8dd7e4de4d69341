import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { exitCodes, migrate } from './migrate.ts';
import { LogLines } from './testing.ts';

describe('migrate', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'migrate-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('lists, runs and reverts migrations', async () => {
    const env = { PGLITE_DIR: join(directory, 'data') };
    expect(await run(['status'], env)).toMatchObject({ exitCode: exitCodes.pending });
    expect((await run([], env)).text).toContain('1 migrations run');
    const { exitCode, text } = await run(['status'], env);
    expect(exitCode).toBe(exitCodes.done);
    expect(text).toContain('done    20261121_accounts');
    expect((await run(['down'], env)).text).toContain('20261121_accounts reverted');
    expect((await run(['down'], env)).text).toContain('no migration to revert');
  });

  it('names what is missing or wrong', async () => {
    for (const args of [['sideways'], ['up', 'up'], ['toString']]) {
      expect(await run(args, {})).toMatchObject({
        exitCode: exitCodes.badInput,
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
      expect([exitCode, text]).toEqual([exitCodes.badInput, expect.stringContaining('DATABASE_URL: expected a URL')]);
      expect(text).not.toContain(url);
    }
    expect(await run([], { DATABASE_URL: 'mysql://localhost' })).toMatchObject({ exitCode: exitCodes.badInput });
  });

  it('fails when no server answers', async () => {
    const { exitCode, text } = await run([], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
    expect(exitCode).toBe(exitCodes.failed);
    expect(text).toContain('ECONNREFUSED');
  });
});

async function run(args: readonly string[], env: Record<string, string>) {
  const log = new LogLines();
  const exitCode = await migrate(args, env, await createLogger('info', log));
  return { exitCode, text: log.text };
}
