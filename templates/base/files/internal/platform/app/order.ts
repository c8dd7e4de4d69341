import type { Module } from './module.ts';

/**
 * @param module one of the list
 * @param modules all modules of the service
 * @returns what must have started before it: what it names itself, and what completes any of that
 */
export function requirementsOf({ requires, completes }: Module, modules: readonly Module[]): Module[] {
  const completing = modules.filter((other) => other.completes !== undefined && requires.includes(other.completes));
  return [...requires, ...(completes === undefined ? [] : [completes]), ...completing];
}

/**
 * Puts modules into an order in which each comes after what it requires; otherwise the given order stays.
 * @param modules a list of modules that requires nothing outside itself
 * @returns the same modules, dependencies first
 * @throws {Error} on two modules of one name, a missing requirement, or a cycle
 */
export function inOrder(modules: readonly Module[]): Module[] {
  const names = new Set<string>();
  for (const { name } of modules) {
    if (names.has(name)) throw new Error(`Two modules are called "${name}"`);
    names.add(name);
  }

  const ordered = new Set<Module>();
  const visit = (module: Module, path: readonly Module[]): void => {
    if (ordered.has(module)) return;
    if (path.includes(module)) {
      const cycle = [...path.slice(path.indexOf(module)), module].map(({ name }) => name);
      throw new Error(`Modules require each other: ${cycle.join(' → ')}`);
    }
    for (const required of requirementsOf(module, modules)) {
      if (!modules.includes(required)) {
        throw new Error(`Module "${module.name}" requires "${required.name}", which is not in the list of modules`);
      }
      visit(required, [...path, module]);
    }
    ordered.add(module);
  };
  for (const module of modules) visit(module, []);
  return [...ordered];
}
