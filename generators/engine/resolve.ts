import type { Catalogue, CatalogueModule, Manifest } from './model.ts';
import { badInput } from './errors.ts';
import { didYouMean } from './suggest.ts';

/**
 * @param catalogue all modules
 * @returns all modules except parts; a user can add these
 */
export function offeredModules({ modules }: Catalogue): CatalogueModule[] {
  return Object.values(modules).filter(({ part }) => !part);
}

/**
 * @param id a module's id as the user wrote it
 * @param catalogue all modules
 * @returns the module
 * @throws SlipwayError (exit code 2) with a suggestion, when the module does not exist
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
 * Adds all modules that the given modules require, directly or indirectly. The result omits parts, because a service contains a part
 * whenever a module requires it.
 * @param ids modules to add
 * @param catalogue all modules
 * @returns the given modules and all that they require, sorted by id
 * @throws SlipwayError (exit code 2) for an unknown module or a part
 */
export function withRequired(ids: Iterable<string>, catalogue: Catalogue): string[] {
  const wanted = [...ids];
  const part = wanted.find((id) => findModule(id, catalogue).part);
  if (part !== undefined) {
    const users = offeredModules(catalogue).filter(({ id }) =>
      inOrder([id], catalogue).some((module) => module.id === part),
    );
    throw badInput(
      `"${part}" is a part of other modules and cannot be asked for`,
      users.length > 0
        ? `add one that has it: ${users.map(({ id }) => id).join(', ')}`
        : 'it comes with a resource that needs it: slipway resource --help',
    );
  }
  return inOrder(wanted, catalogue)
    .filter((module) => !module.part)
    .map(({ id }) => id)
    .sort();
}

/**
 * Returns the modules of a service in an order that depends only on their ids and requirements. The base is first. Each module comes
 * after all modules that it requires. Otherwise the order is by id. The result includes the required parts.
 * @param manifest the service's desired state
 * @param catalogue all modules
 * @returns the modules, base first
 * @throws SlipwayError (exit code 2) when a required module is missing, or when two modules conflict
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
  return [catalogue.base, ...inOrder([...chosen, ...partsOfResources(manifest, catalogue)], catalogue)];
}

/** Returns the parts that a service contains while it has a resource. */
function partsOfResources({ resources = {} }: Manifest, { modules }: Catalogue): string[] {
  const all = Object.values(resources);
  const wanted = {
    any: all.length > 0,
    states: all.some(({ states }) => states !== undefined),
    json: all.some(({ fields }) => Object.values(fields).some((text) => /^json\b/.test(text))),
    sparse: all.some(({ sparse }) => sparse === true),
  };
  return Object.values(modules).flatMap(({ id, withResources }) =>
    withResources && wanted[withResources] ? [id] : [],
  );
}

/**
 * @param modules all of a catalogue
 * @returns the first fault in their `requires` (a missing module or a circle), or undefined when there is none
 */
export function requiresFault(modules: Catalogue['modules']): string | undefined {
  const checked = new Set<string>();
  const faultOf = (id: string, path: readonly string[]): string | undefined => {
    if (path.includes(id))
      return `modules require each other in a circle: ${[...path.slice(path.indexOf(id)), id].join(' → ')}`;
    if (!Object.hasOwn(modules, id)) return `module "${path.at(-1)}" requires "${id}", which is not in the catalogue`;
    if (checked.has(id)) return undefined;
    for (const required of modules[id]?.requires ?? []) {
      const fault = faultOf(required, [...path, id]);
      if (fault !== undefined) return fault;
    }
    checked.add(id);
    return undefined;
  };
  for (const id of Object.keys(modules)) {
    const fault = faultOf(id, []);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Returns modules and all that they require. Each comes after the modules that it requires. */
function inOrder(ids: readonly string[], catalogue: Catalogue): CatalogueModule[] {
  const ordered = new Map<string, CatalogueModule>();
  const begun = new Set<string>();
  const visit = (id: string): void => {
    // Ends the loop for a catalogue with a circle. `loadCatalogue` rejects such a catalogue.
    if (begun.has(id)) return;
    begun.add(id);
    const module = findModule(id, catalogue);
    for (const required of [...(module.requires ?? [])].sort()) visit(required);
    ordered.set(id, module);
  };
  for (const id of [...ids].sort()) visit(id);
  return [...ordered.values()];
}
