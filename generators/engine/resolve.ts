import type { Catalogue, CatalogueModule, Manifest } from './model.ts';
import { badInput } from './errors.ts';
import { didYouMean } from './suggest.ts';

/**
 * @param catalogue all modules
 * @returns those that a user may ask for: all but parts
 */
export function offeredModules({ modules }: Catalogue): CatalogueModule[] {
  return Object.values(modules).filter(({ part }) => !part);
}

/**
 * @param id a module's id as the user wrote it
 * @param catalogue all modules
 * @returns the module
 * @throws SlipwayError (exit code 2) when there is none, with a suggestion
 */
export function findModule(id: string, catalogue: Catalogue): CatalogueModule {
  const module = Object.hasOwn(catalogue.modules, id) ? catalogue.modules[id] : undefined;
  if (module === undefined) {
    const known = offeredModules(catalogue).map((offered) => offered.id);
    throw badInput(`there is no module "${id}"`, didYouMean(id, known));
  }
  return module;
}

/**
 * Adds what modules require, and what that requires. Parts are left out: they are in a service by being required.
 * @param ids modules that are wanted
 * @param catalogue all modules
 * @returns the wanted modules and all they stand on, sorted by id
 * @throws SlipwayError (exit code 2) for an unknown module, a part, or modules that require each other in a circle
 */
export function withRequired(ids: Iterable<string>, catalogue: Catalogue): string[] {
  const wanted = [...ids];
  const part = wanted.find((id) => findModule(id, catalogue).part);
  if (part !== undefined) {
    const users = Object.values(catalogue.modules).filter(({ requires }) => requires?.includes(part));
    throw badInput(
      `"${part}" is a part of other modules and cannot be asked for`,
      `add one that has it: ${users.map(({ id }) => id).join(', ')}`,
    );
  }
  return inOrder(wanted, catalogue)
    .filter((module) => !module.part)
    .map(({ id }) => id)
    .sort();
}

/**
 * The modules of a service in an order that depends on nothing but their names and needs: the base, then each module after
 * all that it requires, otherwise by id. Parts that they require are among them.
 * @param manifest the service's desired state
 * @param catalogue all modules
 * @returns the modules, base first
 * @throws SlipwayError (exit code 2) when a module lacks what it requires, or two cannot be together
 */
export function modulesOf(manifest: Manifest, catalogue: Catalogue): CatalogueModule[] {
  const chosen = Object.keys(manifest.modules).sort();
  for (const id of chosen) {
    const module = findModule(id, catalogue);
    const missing = module.requires?.find(
      (required) => !Object.hasOwn(manifest.modules, required) && !findModule(required, catalogue).part,
    );
    if (missing !== undefined) throw badInput(`module "${id}" requires "${missing}"`, `slipway add ${missing}`);
    const other = module.conflicts?.find((conflicting) => Object.hasOwn(manifest.modules, conflicting));
    if (other !== undefined) throw badInput(`modules "${id}" and "${other}" cannot be together`, 'choose one of them');
  }
  return [catalogue.base, ...inOrder(chosen, catalogue)];
}

/** Modules and all that they require, each after what it requires. */
function inOrder(ids: readonly string[], catalogue: Catalogue): CatalogueModule[] {
  const ordered = new Map<string, CatalogueModule>();
  const visit = (id: string, path: readonly string[]): void => {
    if (ordered.has(id)) return;
    if (path.includes(id)) {
      const circle = [...path.slice(path.indexOf(id)), id].join(' → ');
      throw badInput(`the catalogue is damaged: modules require each other in a circle: ${circle}`);
    }
    const module = findModule(id, catalogue);
    for (const required of [...(module.requires ?? [])].sort()) visit(required, [...path, id]);
    ordered.set(id, module);
  };
  for (const id of [...ids].sort()) visit(id, []);
  return [...ordered.values()];
}
