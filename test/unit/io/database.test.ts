import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';

import { fromSql } from '../../../generators/engine/resources/from/sql.ts';
import { sqlOf } from '../../../generators/io/database.ts';
import { serverDatabase } from '../../helpers/postgres.ts';

/** What `psql` would run of a dump of `pg_dump`: it has data and commands of its own. */
const shop = readFileSync(new URL('../engine/resources/from/shop.sql', import.meta.url), 'utf8')
  .replaceAll(/^COPY [^]*?^\\\.$/gm, '')
  .replaceAll(/^\\.*$/gm, '')
  .replaceAll(/^.*OWNER TO.*$/gm, '')
  .replace('public.parts(id)', 'public.customers(id)');

test('a live database gives the same resources as its dump', async ({ skip }) => {
  await using database = await serverDatabase();
  skip(database === undefined, 'no PostgreSQL answers');
  const url = database?.url ?? '';
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(shop);
  } finally {
    await client.end();
  }
  const ofDump = fromSql(shop);
  const ofDatabase = fromSql(await sqlOf(url));
  const byName = (findings: typeof ofDump): unknown =>
    Object.fromEntries(findings.found.map(({ name, left, ...rest }) => [name, { ...rest, left: left.toSorted() }]));
  expect(ofDump.found.length).toBe(4);
  expect(byName(ofDatabase)).toEqual(byName(ofDump));
  expect(ofDatabase.left.toSorted()).toEqual(ofDump.left.toSorted());
});

test('a password is in no error', async () => {
  const server = createServer((socket) => socket.end('no PostgreSQL'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    for (const url of [
      `postgres://me:hunter2@127.0.0.1:${port}/shop`,
      'postgres://me:hunter2@127.0.0.1:1/shop',
      'mysql://me:hunter2@a/b',
    ]) {
      const error: unknown = await sqlOf(url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'SlipwayError' });
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    }
  } finally {
    server.close();
  }
});

test('a server that does not answer ends in one error', { timeout: 60_000 }, async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await expect(sqlOf(`postgres://127.0.0.1:${port}/shop`)).rejects.toThrow(
      /cannot read the database 127.0.0.1:\d+\/shop: timeout/,
    );
  } finally {
    server.close();
  }
});
