import { type ClientBase, Pool, type PoolConfig } from 'pg';
import { openInMemory } from './cluster.ts';

/** The embedded database, seen as a pool of the one connection it has. */
export interface Embedded {
  readonly pool: Pool;
  /** To be called once the pool has ended. */
  readonly close: () => Promise<void>;
}

/**
 * Opens PGlite: PostgreSQL in this process, compiled to WebAssembly. It speaks the same protocol to the same client as a
 * server does, so that types, errors and the pool behave alike; what differs: one connection, and a statement blocks the
 * process until it ends, so that nothing can cancel it. A query beside an open transaction waits for the one connection, and
 * fails when the wait is over.
 * @param dataDir where its data lives; in memory when empty
 * @param config settings of the pool
 * @returns its pool, and how to close it
 */
export async function openEmbedded(dataDir: string, config: PoolConfig): Promise<Embedded> {
  // Loaded here and not above: with a server it is 20 MB for nothing.
  const [{ PGlite }, { createPgConfig }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/node-postgres'),
  ]);
  const inMemory = (files?: Blob) =>
    PGlite.create({ dataDir: 'memory://', ...(files !== undefined && { loadDataDir: files }) });
  const database = await (dataDir === '' ? openInMemory(inMemory) : PGlite.create(dataDir));
  const pool = new Pool(Object.assign(createPgConfig(database), config, { max: 1, onConnect: reset }));
  return { pool, close: () => database.close() };
}

/** A session lives as long as the database: what a connection left open when it was destroyed is still there. */
async function reset(client: ClientBase): Promise<void> {
  await client.query('rollback');
  await client.query('discard all');
}
