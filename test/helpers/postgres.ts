import { randomBytes } from 'node:crypto';
import pg from 'pg';

const admin = process.env['SLIPWAY_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A separate database on a real PostgreSQL. */
export interface ServerDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * @returns a new, empty database that is dropped when it goes out of scope; undefined when no server answers
 * @throws Error when no server answers and `CI` is set, because in CI a test without its server must fail
 */
export async function serverDatabase(): Promise<ServerDatabase | undefined> {
  const name = `slipway_${randomBytes(6).toString('hex')}`;
  try {
    await query(`CREATE DATABASE ${name}`);
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  }
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { url: url.href, [Symbol.asyncDispose]: () => query(`DROP DATABASE ${name} WITH (FORCE)`) };
}

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: admin, connectionTimeoutMillis: 3000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
