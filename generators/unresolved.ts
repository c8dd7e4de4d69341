import { basesPath, lockPath } from './engine/reconcile/lock.ts';
import { toldFault } from './engine/reconcile/faults.ts';
import { conflictLines, decode, hasConflictMarkers } from './engine/text.ts';
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
  { changes, before, faults = [] }: Prepared,
  { flags }: Invocation,
): Promise<void> {
  if (changes.length === 0 && faults.length === 0) return;
  const unmerged = flags.git ? await (await import('./io/git.ts')).unmergedFiles(root) : [];
  const paths = new Set([...changes, ...faults].map(({ path }) => path));
  const marked = new Map([...paths].flatMap((path) => withLine(path, before(path))));
  // Lock and bases are excluded: Slipway reads them with conflict markers and writes them without.
  const files = [...new Set([...unmerged, ...marked.keys()])].filter((path) => path !== lockPath && path !== basesPath);
  if (files.length === 0) return;
  const lines = files.flatMap((path) => (marked.has(path) ? [`line ${marked.get(path)} of ${path}`] : []));
  const where = lines.length === 0 ? '' : ` (${lines.join(', ')})`;
  throw badInput(
    `unresolved conflicts in: ${oneLine(files.join(', '))}`,
    `resolve them first${where}; nothing was written`,
    {
      files,
    },
  );
}

/** @returns the path with the line of its first conflict; empty when there is none */
function withLine(path: string, bytes: Uint8Array | undefined): (readonly [path: string, line: number])[] {
  const line = bytes === undefined ? undefined : conflictLines(decode(bytes) ?? '')[0];
  return line === undefined ? [] : [[path, line]];
}

/**
 * Refuses a service in which files are not valid: a plan for it, or the absence of one, would say that all is well.
 * @param prepared the plan
 * @throws SlipwayError (exit code 2) with file and line of each fault
 */
export function refuseFaulty({ faults = [] }: Prepared): void {
  if (faults.length === 0) return;
  throw badInput(
    `not valid: ${faults.map(toldFault).join('; ')}`,
    `correct ${faults.length === 1 ? 'it' : 'them'} first; nothing was written`,
    { files: faults },
  );
}
