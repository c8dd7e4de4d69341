import { basesPath, lockPath } from './engine/reconcile/lock.ts';
import { describeFaultyFile } from './engine/reconcile/faults.ts';
import { conflictLines, decode, hasConflictMarkers } from './engine/text.ts';
import { badInput, type SlipwayError } from './engine/errors.ts';
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
export async function refuseUnresolved(root: string, prepared: Prepared, invocation: Invocation): Promise<void> {
  await refuseUnmerged(root, prepared, invocation);
  const { changes, faults = [], before } = prepared;
  const paths = new Set([...changes, ...faults].map(({ path }) => path));
  // Lock and bases are excluded: Slipway reads them with conflict markers and writes them without.
  const marked = [...paths].filter((path) => path !== lockPath && path !== basesPath && isUnresolved(before(path)));
  if (marked.length > 0) throw unresolved(marked, 'resolve them first', prepared);
}

/**
 * Refuses to judge or to change a service while git merges it.
 * @param root the service's folder
 * @param prepared the plan; a plan without changes is allowed when all files are valid
 * @param invocation says whether git may be called
 * @throws SlipwayError (exit code 2) with the names of the files that git could not merge
 */
export async function refuseUnmerged(root: string, prepared: Prepared, { flags }: Invocation): Promise<void> {
  const { changes, entries, faults = [] } = prepared;
  const isWhole = changes.length + faults.length === 0 && !entries.some(({ action }) => action === 'conflict');
  if (isWhole || !flags.git) return;
  const { unmergedFiles } = await import('./io/git.ts');
  const files = [...(await unmergedFiles(root)).keys()];
  if (files.length > 0) throw unresolved(files, hintOfMerge, prepared);
}

/** What to do while git merges. */
export const hintOfMerge = 'settle what Slipway can settle with `slipway resolve`, and resolve the others by hand';

function unresolved(files: readonly string[], hint: string, { before }: Prepared): SlipwayError {
  const places = files.flatMap((path) => {
    const [line] = conflictLines(decode(before(path) ?? new Uint8Array()) ?? '');
    return line === undefined ? [] : [`line ${line} of ${path}`];
  });
  const where = places.length === 0 ? '' : ` (${places.join(', ')})`;
  return badInput(`unresolved conflicts in: ${oneLine(files.join(', '))}`, `${hint}${where}; nothing was written`, {
    files,
  });
}

/**
 * Refuses a service in which files are not valid: a plan for it, or the absence of one, would say that all is well.
 * @param prepared the plan
 * @throws SlipwayError (exit code 2) with file and line of each fault
 */
export function refuseFaulty({ faults = [] }: Prepared): void {
  if (faults.length === 0) return;
  throw badInput(
    `not valid: ${faults.map(describeFaultyFile).join('; ')}`,
    `correct ${faults.length === 1 ? 'it' : 'them'} first; nothing was written`,
    { files: faults },
  );
}
