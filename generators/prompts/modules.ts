import type { Catalogue } from '../engine/model.ts';
import { askMany } from './askMany.ts';

/**
 * @param message what is asked
 * @param ids modules to choose from
 * @param catalogue where their summaries are
 * @param ticked modules that are ticked at first
 * @returns the modules chosen, any number of them
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
