import { basesPath, lockPath } from './engine/reconcile/lock.ts';
import { decode, hasConflictMarkers } from './engine/text.ts';
import { badInput } from './engine/errors.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import type { Invocation } from './invocation.ts';
import { oneLine } from './report/visible.ts';

/**
 * @param bytes content of a file
 * @returns whether the content is text with an unresolved conflict
 */
export function isUnresolved(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && hasConflictMarkers(decode(bytes) ?? '');
}

/**
 * Refuses to merge into files with unresolved conflicts.
 * @param root the service's folder
 * @param prepared the plan
 * @param invocation says whether git may be called
 * @throws SlipwayError (exit code 2) with the names of the files whose conflicts, from git or Slipway, are unresolved
 */
export async function refuseUnresolved(
  root: string,
  { changes, before }: Prepared,
  { flags }: Invocation,
): Promise<void> {
  if (changes.length === 0) return;
  const marked = changes.map(({ path }) => path).filter((path) => isUnresolved(before(path)));
  const unmerged = flags.git ? await (await import('./io/git.ts')).unmergedFiles(root) : [];
  // Lock and bases are excluded: Slipway reads them with conflict markers and writes them without.
  const files = [...new Set([...unmerged, ...marked])].filter((path) => path !== lockPath && path !== basesPath);
  if (files.length === 0) return;
  throw badInput(`unresolved conflicts in: ${oneLine(files.join(', '))}`, 'resolve them first; nothing was written', {
    files,
  });
}
