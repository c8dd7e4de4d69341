import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { type ClientBase, Pool, type PoolConfig } from 'pg';

/** The embedded database, as a pool of the one connection that it has. */
export interface Embedded {
  readonly pool: Pool;
  /** Call it after the pool has ended. */
  readonly close: () => Promise<void>;
}

/**
 * Opens PGlite: PostgreSQL compiled to WebAssembly, in this process. The same client speaks the same protocol to it as to a server,
 * so that types, errors and the pool behave alike. Differences: it has one connection, and a statement blocks the process until it
 * ends, so that it cannot be cancelled. A query beside an open transaction waits for the connection, and fails after the timeout.
 * @param dataDir the folder of its data; in memory when empty
 * @param config settings of the pool
 * @returns its pool, and how to close it
 */
export async function openEmbedded(dataDir: string, config: PoolConfig): Promise<Embedded> {
  // Imported here: a service with a server does not need these 20 MB.
  const [{ PGlite }, { createPgConfig }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/node-postgres'),
  ]);
  const database = await (dataDir === '' ? openInMemory(PGlite) : PGlite.create(dataDir));
  const pool = new Pool(Object.assign(createPgConfig(database), config, { max: 1, onConnect: reset }));
  return { pool, close: () => database.close() };
}

/** The session lives as long as the database: what a destroyed connection left open is still there. */
async function reset(client: ClientBase): Promise<void> {
  await client.query('rollback');
  await client.query('discard all');
}

/**
 * Opens a database in memory. Its first files take initdb several seconds, so they are made once and kept in a file. When that file
 * cannot be written, they are made each time.
 */
async function openInMemory(Embedded: typeof PGlite): Promise<PGlite> {
  const file = cacheFile();
  const kept = await readFile(file).catch(() => undefined);
  const opened =
    kept && (await Embedded.create({ dataDir: 'memory://', loadDataDir: new Blob([kept]) }).catch(() => undefined));
  if (opened) return opened;
  const made = await Embedded.create('memory://');
  await keep(file, made).catch(() => undefined);
  return made;
}

/** In `node_modules/.cache`; each version of PGlite has its own files. */
function cacheFile(): string {
  const manifest = findPackageJSON('@electric-sql/pglite', import.meta.url) ?? '';
  const [, version = ''] = /"version": *"(.+?)"/.exec(readFileSync(manifest, 'utf8')) ?? [];
  return path.resolve(manifest, '../../../.cache/pglite', `${version}.tar`);
}

/** Writes the file whole, or not at all: another process may write or read it at the same time. */
async function keep(file: string, database: PGlite): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const files = await database.dumpDataDir('none');
  const part = `${file}.${process.pid}`;
  await writeFile(part, Buffer.from(await files.arrayBuffer()));
  await rename(part, file);
}
