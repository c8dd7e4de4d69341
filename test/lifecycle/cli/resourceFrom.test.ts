import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';

import { expectFault } from '../../helpers/expectFault.ts';
import { hasTerminal, keys, onTerminal } from '../../helpers/terminal.ts';
import { serverDatabase } from '../../helpers/postgres.ts';
import { resourceService } from '../../helpers/resourceService.ts';

vi.setConfig({ testTimeout: 120_000 });

const schemas = path.resolve('test/unit/engine/resources/from');
const sql = path.join(schemas, 'shop.sql');

/** The resources of the manifest, each with its fields. */
function resourcesOf(
  root: string,
): Record<string, { plural: string; created: string; fields: Record<string, string> }> {
  return JSON.parse(readFileSync(path.join(root, 'slipway.json'), 'utf8')).resources ?? {};
}

describe('slipway resource, from what exists', () => {
  it('takes the tables that --only names, and lists what it leaves out', () => {
    using made = resourceService();
    const taken = made.run('resource', `--from-sql=${sql}`, '--only=order-line,orders', '--no-install');
    expect(taken).toMatchObject({ exitCode: 0, stderr: '' });
    expect(taken.stdout).toContain('order_lines.weight: there is no field for the type double precision');
    expect(taken.stdout).toContain('order.customer: the resource customer is not taken; the field is a uuid');
    const resources = resourcesOf(made.root);
    expect(Object.keys(resources)).toEqual(['order', 'order-line']);
    expect(resources['order']?.fields).toMatchObject({
      customer: 'uuid',
      status: 'enum(created,confirmed,shipped):default(created)',
    });
    expect(resources['order-line']).toMatchObject({ plural: 'order-lines', fields: { order: 'ref(order)' } });
    // The table that is referred to is created first.
    expect(String(resources['order']?.created) < String(resources['order-line']?.created)).toBe(true);
    expect(made.run('check').exitCode).toBe(0);

    expect(made.run('resource', `--from-sql=${sql}`, '--only=order-line,orders', '--no-install').stdout).toContain(
      'Nothing to do',
    );
  });

  it.each([
    ['--from-sql', 'shop.sql', ['country', 'customer', 'order', 'order-line']],
    ['--from-openapi', 'issues.yaml', ['gist', 'issue']],
    ['--from-proto', 'library.proto', ['book', 'shelf']],
  ])('%s takes all with --yes', (flag, file, names) => {
    using made = resourceService();
    expect(made.run('resource', flag, path.join(schemas, file), '--yes', '--no-install')).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(Object.keys(resourcesOf(made.root))).toEqual(names);
    expect(made.run('check').exitCode).toBe(0);
  });

  it.runIf(hasTerminal)('offers all on a terminal, and takes what stays ticked', async () => {
    using made = resourceService();
    const taken = await onTerminal(
      ['resource', `--from-sql=${sql}`, '--no-install', '--no-git', '--catalogue', made.catalogue],
      // Customers are not wanted.
      [['Resources', keys.space + keys.enter]],
      { cwd: made.root },
    );
    expect(taken).toMatchObject({ exitCode: 0, isRestored: true });
    expect(Object.keys(resourcesOf(made.root))).toEqual(['country', 'order', 'order-line']);
  });

  it('reads the database of DATABASE_URL', async ({ skip }) => {
    await using database = await serverDatabase();
    skip(database === undefined, 'no PostgreSQL answers');
    const url = database?.url ?? '';
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("create table guests (id uuid primary key, name varchar(80) not null check (name <> ''))");
    await client.end();
    using made = resourceService({ DATABASE_URL: url });
    expect(made.run('resource', '--from-database', '--no-install')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(resourcesOf(made.root)).toMatchObject({
      guest: { plural: 'guests', fields: { name: 'string:min(1):max(80)' } },
    });
  });

  it('is one error, and writes nothing, when it cannot know what to take', () => {
    using made = resourceService({ DATABASE_URL: '' });
    const empty = path.join(made.root, 'empty.sql');
    writeFileSync(empty, 'create table logs (at timestamptz);');
    expectFault(
      made.run('resource', '--from-sql', sql),
      2,
      '4 resources are found: customer, order, order-line, country',
    );
    expectFault(made.run('resource', '--from-sql', sql, '--only=custmer'), 2, 'did you mean "customer"?');
    expectFault(made.run('resource', '--from-sql', empty, '--yes'), 2, 'table logs: it has no primary key');
    expectFault(made.run('resource', '--from-sql', 'nowhere.sql'), 2, 'there is no');
    expectFault(made.run('resource', '--from-sql', sql, '--from-proto', sql), 2, 'cannot be together');
    expectFault(made.run('resource', '--only=order'), 2, '--only is for resources that are found');
    expectFault(made.run('resource', '--from-database'), 2, 'set DATABASE_URL');
    const refused = made.run('resource', '--from-database=postgres://me:hunter2@127.0.0.1:1/shop');
    expectFault(refused, 1, 'cannot read the database 127.0.0.1:1/shop: no server answers there');
    expect(refused.stdout + refused.stderr).not.toContain('hunter2');
    expect(resourcesOf(made.root)).toEqual({});
  });
});
