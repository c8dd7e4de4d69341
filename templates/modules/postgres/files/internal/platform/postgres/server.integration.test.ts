import { Registry } from '@prometheus-io/client';
import { type Kysely, sql } from 'kysely';
import { Client, Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { background, runWith } from '../../../pkg/context/index.ts';
import { openProxy } from '../../../test/support/proxy.ts';
import { createLogger } from '../log/logger.ts';
import type { Database } from './database.ts';
import { DatabaseUnavailableError, PoolExhaustedError } from './errors.ts';
import { createMetrics } from './metrics.ts';
import { createMigrations } from './migrate.ts';
import { SupervisedPool } from './pool.ts';
import { serverUrl, type TestDatabase, testDatabase } from './testing.ts';

interface Tables {
  doctors: { id: number; on_call: boolean };
}

const url = serverUrl();

describe.skipIf(!url)('only on a PostgreSQL server (needs DATABASE_URL)', () => {
  let opened: TestDatabase;
  let database: Database<Tables>;
  let db: Kysely<Tables>;

  beforeAll(async () => {
    opened = await testDatabase({
      DATABASE_URL: url,
      POSTGRES_POOL_MAX: '4',
      POSTGRES_CONNECT_TIMEOUT_MS: '500',
      POSTGRES_STATEMENT_TIMEOUT_MS: '2000',
    });
    database = opened.tables<Tables>();
    ({ db } = database);
    await sql`create table doctors (id int primary key, on_call boolean not null)`.execute(db);
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    await sql`truncate doctors`.execute(db);
    await sql`insert into doctors values (1, true), (2, true)`.execute(db);
  });

  const retries = async (sqlstate: string) => {
    const found = await opened.registry.getSingleMetric('postgres_transaction_retries_total')?.get();
    return found?.values.find(({ labels }) => labels['sqlstate'] === sqlstate)?.value ?? 0;
  };

  it('repeats one of two serializable transactions with a conflict', async () => {
    // Each may go off call only while the other one stays: "write skew", which no weaker isolation level prevents.
    const bothHaveRead = barrier(2);
    const goOffCall = (id: number) =>
      database.transaction(
        async (trx) => {
          const onCall = await trx.selectFrom('doctors').selectAll().where('on_call', '=', true).execute();
          await bothHaveRead();
          if (onCall.length < 2) return 'stays';
          await trx.updateTable('doctors').set({ on_call: false }).where('id', '=', id).execute();
          return 'goes';
        },
        { isolation: 'serializable' },
      );
    const before = await retries('40001');
    expect((await Promise.all([goOffCall(1), goOffCall(2)])).toSorted()).toEqual(['goes', 'stays']);
    expect(await retries('40001')).toBe(before + 1);
  });

  it('repeats the victim of a deadlock', async () => {
    const bothHoldOne = barrier(2);
    const update = (first: number, second: number) =>
      database.transaction(async (trx) => {
        await trx.updateTable('doctors').set({ on_call: false }).where('id', '=', first).execute();
        await bothHoldOne();
        await trx.updateTable('doctors').set({ on_call: false }).where('id', '=', second).execute();
      });
    const before = await retries('40P01');
    await Promise.all([update(1, 2), update(2, 1)]);
    expect(await retries('40P01')).toBe(before + 1);
    expect(await db.selectFrom('doctors').select('on_call').execute()).toEqual([
      { on_call: false },
      { on_call: false },
    ]);
  });

  it('cancels a statement that takes too long', async () => {
    await expect(sql`select pg_sleep(10)`.execute(db)).rejects.toMatchObject({ code: 'database_timeout', status: 504 });
  });

  it('cancels the statement of a context that ends, and keeps the connection', async () => {
    const context = background.child();
    let backend: unknown;
    const sleeping = runWith(context, () =>
      database.transaction(async (trx) => {
        backend = (await sql`select pg_backend_pid() as pid`.execute(trx)).rows;
        await sql`set local statement_timeout = 0`.execute(trx);
        setTimeout(() => context.cancel(new Error('the caller has gone')), 50);
        // Longer than the test may take.
        await sql`select pg_sleep(600)`.execute(trx);
      }),
    );
    await expect(sleeping).rejects.toThrow('the caller has gone');
    const { rows } = await sql`select pg_backend_pid() as pid`.execute(db);
    expect(rows).toEqual(backend);
  });

  it('cancels only its own statement: after a failover the process may be of another session', async () => {
    const other = new Client(url);
    await other.connect();
    onTestFinished(() => other.end());
    const [{ pid } = { pid: 0 }] = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
    const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 5000 });
    pool.on('connect', (client) => void Object.assign(client, { processID: pid }));
    onTestFinished(() => pool.end());
    const supervised = new SupervisedPool(pool, await createLogger('silent'), createMetrics(new Registry(), pool));
    const context = background.child();
    const client = await supervised.connect();
    const theirs = other.query('select pg_sleep(0.5)');
    const ours = runWith(context, () => client.query('select pg_sleep(0.1)', []));
    context.cancel(new Error('the caller has gone'));
    await ours;
    client.release();
    expect((await theirs).rowCount).toBe(1);
  });

  it('gives back the connection of a context that ends, when its server has gone silently', async () => {
    const proxy = await openProxy(url ?? '', 5432);
    onTestFinished(proxy.close);
    const { tables, close } = await testDatabase({
      DATABASE_URL: proxy.url,
      POSTGRES_POOL_MAX: '1',
      POSTGRES_CONNECT_TIMEOUT_MS: '500',
    });
    onTestFinished(close);
    const gone = tables<Tables>();
    const context = background.child();
    await sql`select 1`.execute(gone.db);
    proxy.set('stalled');
    proxy.set('open');
    const waiting = runWith(context, () => sql`select 2`.execute(gone.db));
    setTimeout(() => context.cancel(new Error('the caller has gone')), 50);
    await expect(waiting).rejects.toThrow('the caller has gone');
    await sql`select 1`.execute(gone.db);
  });

  it('fails when all connections are in use', async () => {
    const sleeping = Array.from({ length: 4 }, () => sql`select pg_sleep(1)`.execute(db));
    await expect(sql`select 1`.execute(db)).rejects.toThrow(PoolExhaustedError);
    await Promise.all(sleeping);
  });

  it('survives the end of its connections, both idle and in use', async () => {
    const idle = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    const atWork = database.transaction(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      const others = sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid not in (${rows[0]?.pid}, pg_backend_pid())`;
      await Promise.all([others.execute(db), sql`select pg_sleep(0.2)`.execute(trx)]);
      await Promise.all([
        sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(db),
        sql`select pg_sleep(1)`.execute(trx),
      ]);
    });
    await expect(atWork).rejects.toThrow(DatabaseUnavailableError);
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    expect(rows[0]?.pid).not.toBe(idle.rows[0]?.pid);
    expect(opened.log.text).toContain('an idle database connection broke');
  });

  it('replaces all open connections when one of them is read-only, as after a failover', async () => {
    await Promise.all(
      [1, 2, 3, 4].map(async () => {
        await sql`set default_transaction_read_only = on`.execute(db);
        await sql`select pg_sleep(0.1)`.execute(db);
      }),
    );
    const update = () => db.updateTable('doctors').set({ on_call: false }).execute();
    await expect(update()).rejects.toMatchObject({ code: 'database_unavailable', status: 503, retryAfterMs: 1000 });
    await Promise.all([update(), update(), update(), update()]);
  });

  it('lets one process migrate while the others wait', async () => {
    const migrations = createMigrations(opened.tables<unknown>().db);
    await migrations.down();
    const ran = await Promise.all([migrations.up(), migrations.up(), migrations.up()]);
    expect(ran.flat()).toHaveLength(1);
  });
});

/** @returns a function whose calls wait until there are so many of them; later calls do not wait */
function barrier(calls: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = calls;
  return () => {
    left -= 1;
    if (left <= 0) resolve();
    return promise;
  };
}
