import { hash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param root a folder
 * @returns everything below it: path → kind, permission bits and content; equal if and only if the trees are equal
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

/** Returns short content unchanged and long content as a hash, so that a difference is readable. */
function digest(content: string): string {
  return content.length < 200 ? content : hash('sha256', content);
}
