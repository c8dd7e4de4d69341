import type { Catalogue } from '../engine/catalogue.ts';
import { ask } from './ask.ts';

/**
 * @param message what is asked
 * @param ids modules to choose from
 * @param catalogue where their summaries stand
 * @param chosen ids that are ticked at first
 * @returns the modules chosen, any number of them
 */
export async function askModules(
  message: string,
  ids: readonly string[],
  catalogue: Catalogue,
  chosen: readonly string[],
): Promise<string[]> {
  const answer = await ask({
    type: 'multiselect',
    message: `${message} (space to tick, enter to go on)`,
    choices: ids.map((id) => ({ name: id, hint: catalogue.modules[id]?.summary ?? '' })),
    initial: chosen,
  });
  return Array.isArray(answer) ? answer.map(String) : [];
}
