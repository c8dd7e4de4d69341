import { basesPath, lockPath } from './engine/reconcile/lock.ts';
import { decode, hasConflictMarkers } from './engine/text.ts';
import { badInput } from './engine/errors.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import type { Invocation } from './invocation.ts';

/**
 * @param bytes content of a file
 * @returns whether it is text that holds an unresolved conflict
 */
export function isUnresolved(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && hasConflictMarkers(decode(bytes) ?? '');
}

/**
 * Refuses to pile one merge upon another.
 * @param root the service's folder
 * @param prepared what is to be done there
 * @param invocation tells whether git is to be asked
 * @throws SlipwayError (exit code 2) naming the files whose conflicts are not resolved, by git or by Slipway
 */
export async function refuseUnresolved(
  root: string,
  { changes, before }: Prepared,
  { flags }: Invocation,
): Promise<void> {
  if (changes.length === 0) return;
  const marked = changes.map(({ path }) => path).filter((path) => isUnresolved(before(path)));
  const unmerged = flags.git ? await (await import('./io/git.ts')).unmergedFiles(root) : [];
  // Lock and bases are read with markers in them, and written without.
  const files = [...new Set([...unmerged, ...marked])].filter((path) => path !== lockPath && path !== basesPath);
  if (files.length === 0) return;
  throw badInput(`unresolved conflicts in: ${files.join(', ')}`, 'resolve them first; nothing was written', { files });
}
