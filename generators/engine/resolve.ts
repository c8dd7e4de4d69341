import type { Catalogue, CatalogueModule } from './catalogue.ts';
import { badInput } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { didYouMean } from './suggest.ts';

/**
 * @param id a module's id as the user wrote it
 * @param catalogue all modules
 * @returns the module
 * @throws SlipwayError (exit code 2) when there is none, with a suggestion
 */
export function findModule(id: string, catalogue: Catalogue): CatalogueModule {
  const module = Object.hasOwn(catalogue.modules, id) ? catalogue.modules[id] : undefined;
  if (module === undefined) {
    throw badInput(`there is no module "${id}"`, didYouMean(id, Object.keys(catalogue.modules)));
  }
  return module;
}

/**
 * Adds what modules require, and what that requires.
 * @param ids modules that are wanted
 * @param catalogue all modules
 * @returns the wanted modules and all they stand on, sorted by id
 * @throws SlipwayError (exit code 2) for an unknown module
 */
export function withRequired(ids: Iterable<string>, catalogue: Catalogue): string[] {
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const required of findModule(id, catalogue).requires ?? []) visit(required);
  };
  for (const id of ids) visit(id);
  return [...found].sort();
}

/**
 * The modules of a service in an order that depends on nothing but their names and needs: the base, then each module after
 * all that it requires, otherwise by id.
 * @param manifest the service's desired state
 * @param catalogue all modules
 * @returns the modules, base first
 * @throws SlipwayError (exit code 2) when a module lacks what it requires, or two cannot stand together
 */
export function modulesOf(manifest: Manifest, catalogue: Catalogue): CatalogueModule[] {
  const chosen = Object.keys(manifest.modules).sort();
  for (const id of chosen) {
    const module = findModule(id, catalogue);
    const missing = module.requires?.find((required) => !Object.hasOwn(manifest.modules, required));
    if (missing !== undefined) throw badInput(`module "${id}" requires "${missing}"`, `slipway add ${missing}`);
    const enemy = module.conflicts?.find((other) => Object.hasOwn(manifest.modules, other));
    if (enemy !== undefined)
      throw badInput(`modules "${id}" and "${enemy}" cannot stand together`, 'choose one of them');
  }
  const ordered: CatalogueModule[] = [];
  const visit = (id: string): void => {
    if (ordered.some((module) => module.id === id)) return;
    const module = findModule(id, catalogue);
    for (const required of [...(module.requires ?? [])].sort()) visit(required);
    ordered.push(module);
  };
  for (const id of chosen) visit(id);
  return [catalogue.base, ...ordered];
}
