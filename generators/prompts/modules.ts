import type { Catalogue } from '../engine/model.ts';
import { askMany } from './choose.ts';

/**
 * @param message the question
 * @param ids modules to choose from
 * @param catalogue has the summaries of the modules
 * @param ticked modules that are selected at first
 * @returns the chosen modules, any number of them
 */
export function askModules(
  message: string,
  ids: readonly string[],
  { modules }: Catalogue,
  ticked: readonly string[] = [],
): Promise<string[]> {
  return askMany(
    message,
    ids.map((id) => ({ name: id, hint: modules[id]?.summary ?? '' })),
    ticked,
  );
}
