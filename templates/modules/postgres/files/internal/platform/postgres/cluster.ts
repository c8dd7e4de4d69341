import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** What a database can be made from again. */
export interface Dumpable {
  dumpDataDir(compression: 'none'): Promise<Blob>;
}

/**
 * Opens an embedded database in memory. To make its first files (initdb) takes it seconds; so they are made once, kept beside the
 * packages, and taken from there. Where that cannot be written, they are made each time.
 * @param create opens one with these files, or makes them
 * @param file where they are kept
 * @returns the database, empty
 */
export async function openInMemory<Database extends Dumpable>(
  create: (files?: Blob) => Promise<Database>,
  file = keptFile(),
): Promise<Database> {
  const kept = await readFile(file).catch(() => undefined);
  if (kept !== undefined) {
    const opened = await create(new Blob([kept])).catch(() => undefined);
    if (opened !== undefined) return opened;
  }
  const made = await create();
  await keep(file, made).catch(() => undefined);
  return made;
}

/** In `node_modules/.cache`; other versions have other files. */
function keptFile(): string {
  const manifest = findPackageJSON('@electric-sql/pglite', import.meta.url) ?? '';
  const { version } = Value.Parse(Type.Object({ version: Type.String() }), JSON.parse(readFileSync(manifest, 'utf8')));
  return path.resolve(manifest, '../../../.cache/pglite', `${version}.tar`);
}

/** Whole, or not at all: another process may make the same file, or read it. */
async function keep(file: string, database: Dumpable): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const files = await database.dumpDataDir('none');
  const part = `${file}.${process.pid}`;
  await writeFile(part, Buffer.from(await files.arrayBuffer()));
  await rename(part, file);
}
