import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { background, runWith } from '../../../pkg/context/index.ts';
import { createLogger } from '../log/logger.ts';
import type { Database } from './database.ts';
import { PoolExhaustedError, sqlState } from './errors.ts';
import { createMigrations } from './migrate.ts';
import { watchHealth } from './module.ts';
import type { TestDatabase } from './testing.ts';

interface Tables {
  stock: { id: number; quantity: number };
  orders: { stock_id: number };
}

/** Short times, for tests. */
export const fastSettings = {
  POSTGRES_POOL_MAX: '1',
  POSTGRES_CONNECT_TIMEOUT_MS: '300',
};

/**
 * Tests for both databases, with one connection.
 * @param open opens a fresh database with `fastSettings`
 */
export function databaseSuite(open: () => Promise<TestDatabase>): void {
  let opened: TestDatabase;
  let database: Database<Tables>;
  let db: Kysely<Tables>;

  beforeAll(async () => {
    opened = await open();
    database = opened.tables<Tables>();
    ({ db } = database);
    await sql`create table stock (id int primary key, quantity int8 not null)`.execute(db);
    await sql`create table limits (code varchar(3) not null, size int default 0 check (size >= 0))`.execute(db);
    await sql`create table orders (stock_id int not null references stock)`.execute(db);
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    await sql`truncate stock, orders`.execute(db);
    await db.insertInto('stock').values({ id: 1, quantity: 10 }).execute();
  });

  const quantity = async () =>
    (await db.selectFrom('stock').select('quantity').where('id', '=', 1).executeTakeFirst())?.quantity;
  const metric = async (name: string) => (await opened.registry.getSingleMetric(name)?.get())?.values;

  describe('types', () => {
    it('gives int8 and counts as numbers, numeric and date as text, timestamptz as text in UTC', async () => {
      const { rows } = await sql`
        select 9007199254740991::int8 as big, count(*) as count, 1.10::numeric as price, date '2026-02-28' as day,
          timestamptz '2026-02-28 12:00:00+02' as at, '{"a": [1]}'::jsonb as json, array[1, 2] as list, null as nothing
        from stock`.execute(db);
      expect(rows).toEqual([
        {
          big: Number.MAX_SAFE_INTEGER,
          count: 1,
          price: '1.10',
          day: '2026-02-28',
          at: '2026-02-28T10:00:00.000Z',
          json: { a: [1] },
          list: [1, 2],
          nothing: null,
        },
      ]);
    });

    it('gives arrays as their elements, and timestamp as text in any time zone of the process', async () => {
      const zone = process.env['TZ'];
      process.env['TZ'] = 'America/New_York';
      try {
        const { rows } = await sql`
          select array[1, null, 9007199254740991]::int8[] as big, '{{1,2},{3,4}}'::int8[] as nested,
            array[1.10, null]::numeric[] as price, array[date '2026-02-28'] as day,
            timestamp '2026-02-28 12:00:00' as at, array[timestamp '2026-02-28 12:00:00'] as times,
            array[timestamptz '2026-02-28 12:00:00+02'] as instants`.execute(db);
        expect(rows).toEqual([
          {
            big: [1, null, Number.MAX_SAFE_INTEGER],
            nested: [
              [1, 2],
              [3, 4],
            ],
            price: ['1.10', null],
            day: ['2026-02-28'],
            at: '2026-02-28 12:00:00',
            times: ['2026-02-28 12:00:00'],
            instants: ['2026-02-28T10:00:00.000Z'],
          },
        ]);
      } finally {
        if (zone === undefined) delete process.env['TZ'];
        else process.env['TZ'] = zone;
      }
    });

    it.each([
      ['2026-02-28 12:00:00.123456+02', '2026-02-28T10:00:00.123Z'],
      ['2026-02-28 12:00:00.5+00', '2026-02-28T12:00:00.500Z'],
      ['12026-02-28 12:00:00+00', '+012026-02-28T12:00:00.000Z'],
      ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
      ['infinity', 'infinity'],
    ])('gives timestamptz %s as %s, whatever the time zone of the session is', async (time, given) => {
      for (const zone of ['UTC', 'Asia/Kathmandu'])
        await database.transaction(async (trx) => {
          await sql`set local time zone ${sql.lit(zone)}`.execute(trx);
          const { rows } = await sql`select ${time}::timestamptz as at, array[${time}::timestamptz] as list`.execute(
            trx,
          );
          expect(rows).toEqual([{ at: given, list: [given] }]);
        });
    });

    it('refuses an int8 that would be rounded', async () => {
      await expect(sql`select 9007199254740993::int8`.execute(db)).rejects.toThrow('does not fit a number');
      expect(await quantity()).toBe(10);
    });
  });

  describe('errors', () => {
    it('are conflicts when a key exists already, or a reference would break', async () => {
      const again = db.insertInto('stock').values({ id: 1, quantity: 1 }).execute();
      await expect(again).rejects.toMatchObject({ code: 'already_exists', status: 409 });
      const orphan = db.insertInto('orders').values({ stock_id: 2 }).execute();
      await expect(orphan).rejects.toMatchObject({ code: 'reference_broken', status: 409 });
    });

    it.each([
      ['a zero byte', sql`select ${'\u0000'}::text`],
      ['a lone surrogate in jsonb', sql`select ${JSON.stringify({ name: '\uD800' })}::jsonb`],
      ['text that is too long', sql`insert into limits (code) values ('abcd')`],
      ['null', sql`insert into limits (code) values (null)`],
      ['a value that a check refuses', sql`insert into limits (code, size) values ('abc', -1)`],
      ['an integer out of range', sql`insert into limits (code, size) values ('abc', ${2 ** 40})`],
      ['text that is no number', sql`insert into limits (code, size) values ('abc', ${'x'})`],
      ['text that is no date', sql`select ${'2026-02-30'}::date`],
      ['a negative limit', sql`select 1 limit ${-1}`],
    ])('are 400 for %s', async (_what, query) => {
      await expect(query.execute(db)).rejects.toMatchObject({ code: 'invalid_value', status: 400 });
    });

    it('are internal errors with their SQLSTATE otherwise', async () => {
      const error: unknown = await sql`select 1 / 0`.execute(db).catch((thrown: unknown) => thrown);
      expect(error).not.toHaveProperty('publicMessage');
      expect(sqlState(error)).toBe('22012');
    });
  });

  describe('a transaction', () => {
    it('keeps what it did when it ends, and nothing when it throws', async () => {
      await database.transaction((trx) => trx.updateTable('stock').set({ quantity: 9 }).execute());
      const failing = database.transaction(async (trx) => {
        await trx.updateTable('stock').set({ quantity: 8 }).execute();
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await quantity()).toBe(9);
    });

    it('runs at the isolation level that it asks for', async () => {
      const level = await database.transaction(
        async (trx) =>
          (await sql<{ level: string }>`select current_setting('transaction_isolation') as level`.execute(trx)).rows,
        { isolation: 'serializable' },
      );
      expect(level).toEqual([{ level: 'serializable' }]);
    });

    it('runs again after a conflict with another one', async () => {
      let runs = 0;
      const done = database.transaction(async (trx) => {
        runs += 1;
        await trx.updateTable('stock').set({ quantity: runs }).execute();
        if (runs < 3) await raise(trx, '40001');
        return 'done';
      });
      await expect(done).resolves.toBe('done');
      expect(await quantity()).toBe(3);
      expect(await metric('postgres_transaction_retries_total')).toMatchObject([
        { value: 2, labels: { sqlstate: '40001' } },
      ]);
    });

    it.each([
      { sqlstate: '40P01', tries: 5, code: 'concurrent_change' },
      { sqlstate: 'P0001', tries: 1, code: 'P0001' },
    ])('gives up after $tries tries on $sqlstate', async ({ sqlstate, tries, code }) => {
      let runs = 0;
      const failing = database.transaction(async (trx) => {
        runs += 1;
        await raise(trx, sqlstate);
      });
      await expect(failing).rejects.toMatchObject({ code });
      expect(runs).toBe(tries);
    });

    it('may be read-only, and the next one writes', async () => {
      const readOnly = database.transaction(async (trx) => {
        await sql`set transaction read only`.execute(trx);
        await trx.updateTable('stock').set({ quantity: 0 }).execute();
      });
      await expect(readOnly).rejects.toMatchObject({ code: 'database_unavailable' });
      expect(await quantity()).toBe(10);
    });

    it('ends with its context, and keeps nothing', async () => {
      const context = background.child();
      const aborted = runWith(context, () =>
        database.transaction(async (trx) => {
          await trx.updateTable('stock').set({ quantity: 0 }).execute();
          context.cancel(new Error('the caller has gone'));
          await trx.updateTable('stock').set({ quantity: 1 }).execute();
        }),
      );
      await expect(aborted).rejects.toThrow('the caller has gone');
      expect(await quantity()).toBe(10);
    });
  });

  describe('the pool', () => {
    it('fails when the wait is too long, such as a query beside an open transaction', async () => {
      const beside = database.transaction(async (trx) => {
        await trx.updateTable('stock').set({ quantity: 0 }).execute();
        await quantity();
      });
      await expect(beside).rejects.toThrow(PoolExhaustedError);
      await expect(beside).rejects.toMatchObject({ code: 'database_busy', status: 503 });
      expect(await quantity()).toBe(10);
      expect(await metric('postgres_pool_exhausted_total')).toMatchObject([{ value: 1 }]);
    });

    it('reports the state of its connections', async () => {
      await database.transaction(async () => {
        expect(await metric('postgres_pool_connections')).toMatchObject([
          { value: 1, labels: { state: 'in_use' } },
          { value: 0, labels: { state: 'idle' } },
        ]);
        const waiting = quantity();
        await sleep(10);
        expect(await metric('postgres_pool_waiting')).toMatchObject([{ value: 1 }]);
        await expect(waiting).rejects.toThrow(PoolExhaustedError);
      });
      expect(await metric('postgres_pool_max_connections')).toMatchObject([{ value: 1 }]);
    });
  });

  describe('the health', () => {
    it('fails while migrations are pending', async () => {
      const migrations = createMigrations(opened.tables<unknown>().db);
      const last = await nameOfLast(migrations);
      await migrations.down();
      const health = await watchHealth(opened, await createLogger('silent'), 50, 1000);
      expect(health.report).toThrow(`migrations are pending: ${last}`);
      expect(await metric('postgres_migrations_pending')).toMatchObject([{ value: 1 }]);
      await migrations.up();
      await vi.waitFor(() => expect(health.report).not.toThrow(), 60_000);
      expect(await metric('postgres_migrations_pending')).toMatchObject([{ value: 0 }]);
      health.stop();
    });

    it('does not fail when all connections are in use', async () => {
      const health = await watchHealth(opened, await createLogger('silent'), 50, 1000);
      const before = (await metric('postgres_pool_exhausted_total'))?.[0]?.value ?? 0;
      await database.transaction(() =>
        vi.waitFor(async () => {
          expect((await metric('postgres_pool_exhausted_total'))?.[0]?.value).toBeGreaterThan(before);
        }, 60_000),
      );
      expect(health.report).not.toThrow();
      health.stop();
    });
  });

  describe('migrations', () => {
    it('go down one by one and up again', async () => {
      const migrations = createMigrations(opened.tables<unknown>().db);
      const all = (await migrations.status()).map(({ name }) => name);
      expect(all).toContain('20261130_idempotency');
      expect(await migrations.pending()).toEqual([]);
      expect(await migrations.down()).toMatchObject([{ migrationName: all.at(-1), status: 'Success' }]);
      expect(await migrations.pending()).toEqual(all.slice(-1));
      expect(await migrations.up()).toMatchObject([{ migrationName: all.at(-1), status: 'Success' }]);
      expect(await migrations.up()).toEqual([]);
    });

    it('change nothing when one of them fails', async () => {
      const migrations = createMigrations(opened.tables<unknown>().db);
      let undone: string | undefined;
      while (undone !== '20261130_idempotency') undone = (await migrations.down())[0]?.migrationName;
      const pending = await migrations.pending();
      await sql`create table idempotency_keys ()`.execute(db);
      await expect(migrations.up()).rejects.toThrow('failed: nothing was changed');
      expect(await migrations.pending()).toEqual(pending);
      await sql`drop table idempotency_keys`.execute(db);
      await migrations.up();
    });
  });
}

async function nameOfLast(migrations: ReturnType<typeof createMigrations>): Promise<string | undefined> {
  return (await migrations.status()).at(-1)?.name;
}

async function raise(db: Kysely<Tables>, state: string): Promise<void> {
  await sql`do ${sql.lit(`begin raise exception '${state}' using errcode = '${state}'; end`)}`.execute(db);
}
