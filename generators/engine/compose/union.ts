import type { CatalogueModule } from '../model.ts';
import { SlipwayError, exitCodes } from '../errors.ts';

/**
 * Joins the contributions of modules into one object.
 * @param what name of the shared object, for the error
 * @param modules in the order in which they contribute
 * @param contribution returns what a module contributes: key → value
 * @returns all keys, sorted
 * @throws SlipwayError when two modules give one key different values; it names both modules
 */
export function union<Value>(
  what: string,
  modules: readonly CatalogueModule[],
  contribution: (module: CatalogueModule) => Readonly<Record<string, Value>> | undefined,
): Record<string, Value> {
  const owners = new Map<string, { readonly module: string; readonly value: Value }>();
  for (const module of modules) {
    for (const [key, value] of Object.entries(contribution(module) ?? {})) {
      const other = owners.get(key);
      if (other !== undefined && JSON.stringify(other.value) !== JSON.stringify(value)) {
        throw new SlipwayError(
          exitCodes.failed,
          `modules "${other.module}" and "${module.id}" disagree on ${what} "${key}"`,
        );
      }
      owners.set(key, { module: module.id, value });
    }
  }
  return Object.fromEntries([...owners].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { value }]) => [key, value]));
}
