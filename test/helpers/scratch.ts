import { hash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { outputFileSync, removeSync } from 'fs-extra/esm';
import { onTestFinished } from 'vitest';

/**
 * @returns the real path of a new empty folder, removed when the test that asks for it is over
 */
export function scratchFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-test-')));
  onTestFinished(() => removeSync(folder));
  return folder;
}

/** Path → text, or text with the file's exact permission bits. */
export type Tree = Readonly<Record<string, string | { readonly text: string; readonly mode: number }>>;

/**
 * @param root the folder to write into
 * @param tree the files to write there
 */
export function writeFiles(root: string, tree: Tree): void {
  for (const [path, file] of Object.entries(tree)) {
    const { text, mode } = typeof file === 'string' ? { text: file, mode: 0o644 } : file;
    outputFileSync(join(root, path), text, { mode });
  }
}

/**
 * @param root a folder
 * @returns everything below it: path → kind, permission bits and content; equal exactly when the trees are
 */
export function snapshot(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = join(root, path);
    const stat = lstatSync(file);
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isSymbolicLink()) found[path] = `link to ${readlinkSync(file)}`;
    else if (stat.isDirectory()) found[path] = `folder ${mode}`;
    else found[path] = stat.isFile() ? `file ${mode} ${digest(readFileSync(file, 'latin1'))}` : `special ${mode}`;
  }
  return found;
}

/** Short content as it is, long content by its hash: a difference should be readable. */
function digest(content: string): string {
  return content.length < 200 ? content : hash('sha256', content);
}
