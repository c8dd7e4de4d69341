import type { Catalogue, Manifest, Merge, Service } from './engine/model.ts';
import { withFaults } from './engine/reconcile/faults.ts';
import { prepare, type Prepared } from './engine/reconcile/prepare.ts';
import type { ConflictRule } from './engine/reconcile/policy.ts';
import type { Invocation } from './invocation.ts';
import { isVacant } from './io/freshTree.ts';
import { refuseIgnored, refuseUntracked, withPast } from './io/service.ts';

/**
 * Builds the planning step of a command that edits the manifest.
 * @param root the service's folder; it need not exist yet
 * @param catalogue the catalogue to render from
 * @param invocation how the command was called
 * @param edit takes the present content of the manifest and returns the desired manifest
 * @returns a function that reads the service and plans; it writes nothing. It takes what the user chose for conflicts in this run
 */
export function planning(
  root: string,
  catalogue: Catalogue,
  { flags }: Invocation,
  edit: (present: unknown) => Manifest,
): (settled?: readonly ConflictRule[]) => Promise<Prepared> {
  return async (settled = []) => {
    const code = isVacant(root) ? undefined : await import('./engine/reconcile/merge/merge.ts');
    const conflicts = [...flags.conflicts, ...settled];
    const { prepared, taken, doubtful } = await withPast(root, (service) => {
      const plan = prepare(service, { catalogue, conflicts, edit, merge: code?.merge ?? nothingToMerge });
      return {
        prepared: code === undefined ? plan : withFaults(service, plan, code.findFault),
        taken: takenBy(plan, service),
        doubtful: doubtfulIn(plan, service, catalogue),
      };
    });
    await refuseIgnored(root, taken);
    await refuseUntracked(root, doubtful);
    return prepared;
  };
}

/** Files that exist, and that Slipway has not written at this place: a lock, a catalogue or a guess names them. */
function takenBy({ entries, before }: Prepared, { lock }: Service): string[] {
  const paths = entries.map((entry) => entry.path);
  return paths.filter((file) => !Object.hasOwn(lock.files, file) && before(file) !== undefined);
}

/** Edited files that the plan deletes, and that no template has: only the lock says that Slipway wrote them. */
function doubtfulIn({ entries }: Prepared, { lock, read }: Service, { base, modules }: Catalogue): string[] {
  const deleted = entries.filter(({ action }) => action === 'delete').map(({ path }) => path);
  const isInTemplates = (file: string): boolean =>
    [base, ...Object.values(modules)].some(({ files }) => files.some(({ path }) => path === file));
  return deleted.filter((file) => read(file)?.hash !== lock.files[file]?.hash && !isInTemplates(file));
}

/** An empty folder needs no merge. The merge code, which is larger than all other code, is not loaded then. */
const nothingToMerge: Merge = (path) => {
  throw new Error(`${path} cannot be merged with a file in an empty folder`);
};
