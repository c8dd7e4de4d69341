import { existsSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { outputFileSync, removeSync } from 'fs-extra/esm';
import { onTestFinished } from 'vitest';

export { snapshot } from './snapshot.ts';

/**
 * @param where `memory`: on a file system in memory if there is one, for tests that commit hundreds of times
 * @returns the real path of a new empty folder, which is removed at the end of the present test
 */
export function scratchFolder(where: 'disk' | 'memory' = 'disk'): string {
  const parent = where === 'memory' && existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = realpathSync(mkdtempSync(join(parent, 'slipway-test-')));
  onTestFinished(() => removeSync(folder));
  return folder;
}

/** Path → text, or text with the file's exact permission bits. */
export type Tree = Readonly<Record<string, string | { readonly text: string; readonly mode: number }>>;

/**
 * @param root the folder to write into
 * @param tree the files to write
 */
export function writeFiles(root: string, tree: Tree): void {
  for (const [path, file] of Object.entries(tree)) {
    const { text, mode } = typeof file === 'string' ? { text: file, mode: 0o644 } : file;
    outputFileSync(join(root, path), text, { mode });
  }
}
