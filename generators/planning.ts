import type { Catalogue, Manifest, Merge } from './engine/model.ts';
import { prepare, type Prepared } from './engine/reconcile/prepare.ts';
import type { Invocation } from './invocation.ts';
import { isVacant } from './io/freshTree.ts';
import { withPast } from './io/service.ts';

/**
 * How a command that edits the manifest works out its plan.
 * @param root the service's folder, or the one that is to become it
 * @param catalogue what it is rendered from
 * @param invocation how the command was called
 * @param edit from what the manifest holds to what it shall hold
 * @returns reads the service and plans; nothing is written
 */
export function planning(
  root: string,
  catalogue: Catalogue,
  { flags }: Invocation,
  edit: (present: unknown) => Manifest,
): () => Promise<Prepared> {
  return async () => {
    const merge = isVacant(root) ? nothingToMerge : (await import('./engine/reconcile/merge/merge.ts')).merge;
    return withPast(root, (service) => prepare(service, { catalogue, conflict: flags.conflict, edit, merge }));
  };
}

/** Merging takes more code than all the rest, and an empty folder has no use for it. */
const nothingToMerge: Merge = (path) => {
  throw new Error(`${path} cannot be merged with a file in an empty folder`);
};
