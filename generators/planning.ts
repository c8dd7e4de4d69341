import type { Catalogue, Manifest, Merge, Service } from './engine/model.ts';
import { prepare, type Prepared } from './engine/reconcile/prepare.ts';
import type { Invocation } from './invocation.ts';
import { isVacant } from './io/freshTree.ts';
import { refuseIgnored, withPast } from './io/service.ts';

/**
 * Builds the planning step of a command that edits the manifest.
 * @param root the service's folder; it need not exist yet
 * @param catalogue the catalogue to render from
 * @param invocation how the command was called
 * @param edit takes the present content of the manifest and returns the desired manifest
 * @returns a function that reads the service and plans; it writes nothing
 */
export function planning(
  root: string,
  catalogue: Catalogue,
  { flags }: Invocation,
  edit: (present: unknown) => Manifest,
): () => Promise<Prepared> {
  return async () => {
    const merge = isVacant(root) ? nothingToMerge : (await import('./engine/reconcile/merge/merge.ts')).merge;
    const { prepared, taken } = await withPast(root, (service) => {
      const plan = prepare(service, { catalogue, conflict: flags.conflict, edit, merge });
      return { prepared: plan, taken: takenBy(plan, service) };
    });
    await refuseIgnored(root, taken);
    return prepared;
  };
}

/** Files that exist, and that Slipway has not written at this place: a lock, a catalogue or a guess names them. */
function takenBy({ entries, before }: Prepared, { lock }: Service): string[] {
  const paths = entries.map((entry) => entry.path);
  return paths.filter((file) => !Object.hasOwn(lock.files, file) && before(file) !== undefined);
}

/** An empty folder needs no merge. The merge code, which is larger than all other code, is not loaded then. */
const nothingToMerge: Merge = (path) => {
  throw new Error(`${path} cannot be merged with a file in an empty folder`);
};
