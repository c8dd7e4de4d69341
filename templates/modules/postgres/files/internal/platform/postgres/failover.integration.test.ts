import { execFile } from 'node:child_process';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { withTimeout } from '../../../pkg/context/index.ts';
import { freePort, openProxy } from '../../../test/support/proxy.ts';
import { createLogger } from '../log/logger.ts';
import { DatabaseUnavailableError } from './errors.ts';
import { migrate } from './migrate.ts';
import { LogLines } from './testing.ts';
import { testService } from './testService.ts';

const needed = ['initdb', 'pg_basebackup', 'pg_ctl'];
const programs = [...(process.env['PATH'] ?? '').split(path.delimiter), ...globSync('/usr/lib/postgresql/*/bin')].find(
  (folder) => needed.every((name) => existsSync(path.join(folder, name))),
);
if (programs === undefined && process.env['CI']) {
  throw new Error(`these tests start servers: install PostgreSQL with ${needed.join(', ')}`);
}

const run = promisify(execFile);
/** PostgreSQL does not run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A server that the test has started. */
class Server {
  readonly #folder: string;
  readonly #port: number;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Makes a server with `create`, which gets its empty folder, and starts it. */
  static async start(create: (folder: string) => readonly [string, ...string[]]): Promise<Server> {
    const parent = mkdtempSync(path.join(os.tmpdir(), 'postgres-'));
    if (nobody.uid !== undefined) chownSync(parent, nobody.uid, nobody.gid);
    const server = new Server(path.join(parent, 'data'), await freePort());
    const [name, ...args] = create(server.#folder);
    await program(name, ...args);
    await server.control('start', '--options', `-p ${server.#port} -h 127.0.0.1 -k "" -F`);
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  async control(command: string, ...args: string[]): Promise<void> {
    const log = path.join(this.#folder, 'server.log');
    await program('pg_ctl', command, '--wait', '--pgdata', this.#folder, '--log', log, ...args);
  }

  async run(statement: string): Promise<void> {
    const client = new Client(this.url);
    await client.connect();
    await client.query(statement);
    await client.end();
  }

  async remove(): Promise<void> {
    await this.control('stop', '--mode', 'immediate');
    rmSync(path.dirname(this.#folder), { recursive: true });
  }
}

async function program(name: string, ...args: readonly string[]): Promise<void> {
  await run(path.join(programs ?? '', name), args, { cwd: os.tmpdir(), ...nobody });
}

/** A service that reaches a server through an address that can move. */
async function serviceOf(server: Server) {
  const address = await openProxy(server.url, 5432);
  onTestFinished(address.close);
  const started = await testService({
    DATABASE_URL: address.url,
    POSTGRES_POOL_MAX: '4',
    POSTGRES_HEALTH_INTERVAL_MS: '100',
    POSTGRES_CONNECT_TIMEOUT_MS: '2000',
  });
  onTestFinished(async () => void (await started.service.stop(0, 5000)));
  const { db, transaction } = started.database;
  const write = async () => void (await sql`insert into notes values ('x')`.execute(db));
  return {
    ...started,
    address,
    write,
    writeSerializable: () =>
      transaction(async (trx) => void (await sql`insert into notes values ('x')`.execute(trx)), {
        isolation: 'serializable',
      }),
    lock: () => transaction(async (trx) => void (await sql`lock table notes in share mode`.execute(trx))),
    read: async () => void (await sql`select count(*) from notes`.execute(db)),
    /** The port of the server behind each connection of the pool: each is busy while the others are taken. */
    places: async () => {
      const all = Array.from({ length: 4 }, () =>
        sql<{ port: number }>`select inet_server_port() as port, pg_sleep(0.2)`.execute(db),
      );
      return (await Promise.all(all)).map(({ rows: [row] }) => row?.port);
    },
    becomes: (health: unknown) =>
      vi.waitFor(async () => expect(await started.service.health(1000)).toEqual({ postgres: health }), patient),
  };
}

const patient = { timeout: 60_000, interval: 50 };
const impaired = 'impaired: the database is read-only, writes fail';
const unavailable = { code: 'database_unavailable', status: 503, retryAfterMs: 1000 };

describe.skipIf(!programs)('a failover of PostgreSQL (needs its programs initdb, pg_basebackup and pg_ctl)', () => {
  let primary: Server;
  let standby: Server;

  beforeAll(async () => {
    primary = await Server.start((folder) => [
      'initdb',
      '--pgdata',
      folder,
      '--username=postgres',
      '--auth=trust',
      '--no-sync',
    ]);
    await primary.run('create table notes (text text)');
    const log = await createLogger('info', new LogLines());
    await migrate([], { DATABASE_URL: primary.url }, log);
    standby = await Server.start((folder) => [
      'pg_basebackup',
      '--pgdata',
      folder,
      '--dbname',
      primary.url,
      '--write-recovery-conf',
      '--checkpoint=fast',
      '--no-sync',
    ]);
  }, 120_000);
  afterAll(async () => {
    await standby.remove();
    await primary.remove();
  });

  it('is not needed when the server restarts', async () => {
    const { write, becomes } = await serviceOf(primary);
    await write();
    await primary.control('restart', '--mode', 'fast');
    await vi.waitFor(() => expect(write()).resolves.toBeUndefined(), patient);
    await becomes('ok');
  });

  it('leaves a service at a standby ready: it reads, its writes are refused as unavailable, and its health says so', async () => {
    const { write, writeSerializable, lock, read, becomes, metrics } = await serviceOf(standby);
    await becomes(impaired);
    expect(await metrics.text()).toMatch(/^postgres_up 1\n[^]*^postgres_read_only 1$/m);
    for (const refused of [write, writeSerializable, lock]) await expect(refused()).rejects.toMatchObject(unavailable);
    await read();
  });

  it('needs no restart: not when the old address dies silently, nor when the old primary lives on, read-only', async () => {
    const [moved, dead, waiting] = [await serviceOf(primary), await serviceOf(primary), await serviceOf(standby)];
    const [old] = await moved.places();
    await dead.places();
    await waiting.becomes(impaired);

    await primary.run('alter system set default_transaction_read_only = on');
    await primary.run('select pg_reload_conf()');
    await moved.becomes(impaired);
    await standby.control('promote');

    // The service that was at the standby writes there.
    await vi.waitFor(waiting.write, patient);
    await waiting.becomes('ok');

    moved.address.moveTo(standby.url);
    await moved.read();
    const refused: unknown = await moved.write().catch((error: unknown) => error);
    expect(refused ?? new DatabaseUnavailableError(undefined)).toBeInstanceOf(DatabaseUnavailableError);
    await moved.write();
    expect(await moved.places()).not.toContain(old);
    await moved.becomes('ok');
    expect(await moved.metrics.text()).toMatch(/^postgres_read_only 0$/m);

    dead.address.set('stalled');
    dead.address.moveTo(standby.url);
    dead.address.set('open');
    // As in a request, which has a deadline: a connection that was opened just before the server died does not answer.
    const placesInTime = (): Promise<unknown> => withTimeout(5000, dead.places);
    await vi.waitFor(() => expect(placesInTime()).resolves.not.toContain(old), patient);
    await dead.write();
    await dead.becomes('ok');
  });
});
