import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openInMemory } from './embedded.ts';

/** Instead of PGlite, which takes seconds. */
async function create(files?: Blob) {
  const from = (await files?.text()) ?? 'nothing';
  if (from === 'damaged') throw new Error('no tarball');
  return { from, dumpDataDir: async () => new Blob([`files of ${from}`]) };
}

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'cluster-'));
  file = path.join(folder, 'cache', '1.0.0.tar');
});
afterEach(() => rm(folder, { recursive: true }));

it('the first files of a database are made once', async () => {
  expect((await openInMemory(create, file)).from).toBe('nothing');
  expect((await openInMemory(create, file)).from).toBe('files of nothing');
  expect(await readdir(path.dirname(file))).toEqual(['1.0.0.tar']);
});

it('they are made again when the kept file is damaged', async () => {
  await openInMemory(create, file);
  await writeFile(file, 'damaged');
  expect((await openInMemory(create, file)).from).toBe('nothing');
  expect(await readFile(file, 'utf8')).toBe('files of nothing');
});

it('they are made each time when the file cannot be written', async () => {
  await writeFile(path.join(folder, 'cache'), 'no folder');
  for (let count = 0; count < 2; count += 1) expect((await openInMemory(create, file)).from).toBe('nothing');
});
