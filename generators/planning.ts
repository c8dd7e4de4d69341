import type { Catalogue, Manifest, Merge } from './engine/model.ts';
import { withFaults } from './engine/reconcile/faults.ts';
import { prepare, type Prepared } from './engine/reconcile/prepare.ts';
import type { ConflictRule } from './engine/reconcile/policy.ts';
import type { Invocation } from './invocation.ts';
import { isVacant } from './io/freshTree.ts';
import { withPast } from './io/service.ts';

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
    return withPast(root, (service) => {
      const request = { catalogue, conflicts, edit, merge: code?.merge ?? nothingToMerge };
      const prepared = prepare(service, request);
      return code === undefined ? prepared : withFaults(service, prepared, code.findFault);
    });
  };
}

/** An empty folder needs no merge. The merge code, which is larger than all other code, is not loaded then. */
const nothingToMerge: Merge = (path) => {
  throw new Error(`${path} cannot be merged with a file in an empty folder`);
};
