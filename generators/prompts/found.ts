import type { Found } from '../engine/resources/from/found.ts';
import { askMany } from './choose.ts';

/**
 * @param found resources that were found in a schema
 * @returns names of those to take, any number of them
 */
export function askFound(found: readonly Found[]): Promise<string[]> {
  const choices = found.map(({ name, fields }) => ({ name, hint: Object.keys(fields).join(', ') }));
  return askMany(
    'Resources',
    choices,
    found.map(({ name }) => name),
  );
}
