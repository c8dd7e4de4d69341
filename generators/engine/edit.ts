import { type Catalogue, type CiProvider, ciProviders, type Manifest, type OptionValue } from './model.ts';
import { findModule, withRequired } from './resolve.ts';
import { badInput, exitCodes, SlipwayError } from './errors.ts';
import { sorted } from './json.ts';
import { didYouMean } from './suggest.ts';

/**
 * Adds modules and the modules that they require.
 * @param manifest the current manifest
 * @param ids modules to add
 * @param catalogue all modules
 * @returns the manifest with these modules; modules that are already present keep their options
 * @throws SlipwayError (exit code 2) for an unknown module
 */
export function addModules(manifest: Manifest, ids: readonly string[], catalogue: Catalogue): Manifest {
  const added = withRequired(ids, catalogue).map((id) => [id, manifest.modules[id] ?? {}] as const);
  return { ...manifest, modules: sorted({ ...manifest.modules, ...Object.fromEntries(added) }) };
}

/**
 * Removes modules.
 * @param manifest the current manifest
 * @param ids modules to remove
 * @param catalogue all modules
 * @returns the manifest without them
 * @throws SlipwayError when a module is not present (exit code 2), or when another module requires it (exit code 3)
 */
export function removeModules(manifest: Manifest, ids: readonly string[], catalogue: Catalogue): Manifest {
  const present = Object.keys(manifest.modules);
  for (const id of ids) {
    if (!present.includes(id))
      throw badInput(
        `module "${id}" is not in this service`,
        present.length === 0 ? 'it has no modules' : didYouMean(id, present),
      );
  }
  const all = withDependants(ids, present, catalogue);
  const dependants = all.filter((id) => !ids.includes(id));
  if (dependants.length > 0) {
    const [subject, verb] = [
      dependants.map((id) => `"${id}"`).join(', '),
      dependants.length === 1 ? 'requires' : 'require',
    ];
    throw new SlipwayError(
      exitCodes.conflicts,
      `module${dependants.length === 1 ? '' : 's'} ${subject} ${verb} ${ids.map((id) => `"${id}"`).join(', ')}`,
      { hint: `remove all of them: slipway remove ${all.join(' ')}` },
    );
  }
  return {
    ...manifest,
    modules: Object.fromEntries(Object.entries(manifest.modules).filter(([id]) => !ids.includes(id))),
  };
}

/** Returns modules of a service, and all modules in the service that require one of them directly or indirectly. */
function withDependants(ids: readonly string[], present: readonly string[], catalogue: Catalogue): string[] {
  const found = new Set(ids);
  // The loop also visits ids that it adds to the set.
  for (const id of found) {
    for (const other of present) if (findModule(other, catalogue).requires?.includes(id)) found.add(other);
  }
  return [...found];
}

/**
 * Sets options of modules.
 * @param manifest the current manifest
 * @param settings each as `module.option=value`
 * @param catalogue all modules
 * @returns the manifest with these options; it omits options that have their default value
 * @throws SlipwayError (exit code 2) when the module is not present, or when the option or value is unknown
 */
export function setOptions(manifest: Manifest, settings: readonly string[], catalogue: Catalogue): Manifest {
  return settings.reduce((present, setting) => setOption(present, setting, catalogue), manifest);
}

function setOption(manifest: Manifest, setting: string, catalogue: Catalogue): Manifest {
  const [, id = '', name = '', text = ''] = /^([^.=]+)\.([^=]+)=(.*)$/.exec(setting) ?? [];
  if (id === '') throw badInput(`--set takes module.option=value; given: ${setting}`);
  if (!Object.hasOwn(manifest.modules, id)) throw badInput(`--set ${setting}: module "${id}" is not in this service`);
  const known = findModule(id, catalogue).options ?? {};
  const option = Object.hasOwn(known, name) ? known[name] : undefined;
  if (option === undefined)
    throw badInput(`module "${id}" has no option "${name}"`, didYouMean(name, Object.keys(known)));
  const choices: readonly OptionValue[] = option.type === 'boolean' ? [true, false] : option.enum;
  const value = choices.find((choice) => String(choice) === text);
  if (value === undefined) throw badInput(`${id}.${name} takes ${choices.join(', ')}; given: ${text}`);
  const { [name]: _, ...others } = manifest.modules[id] ?? {};
  const options = value === option.default ? others : sorted({ ...others, [name]: value });
  return { ...manifest, modules: { ...manifest.modules, [id]: options } };
}

/**
 * @param text providers separated by commas, or `none`
 * @returns the providers, in a fixed order
 * @throws SlipwayError (exit code 2) for an unknown provider
 */
export function parseProviders(text: string): CiProvider[] {
  const names = listOf(text);
  const unknown = names.find((name) => !ciProviders.some((known) => known === name));
  if (unknown !== undefined)
    throw badInput(`there is no CI provider "${unknown}"`, didYouMean(unknown, [...ciProviders, 'none']));
  return ciProviders.filter((provider) => names.includes(provider));
}

/**
 * @param text names separated by commas; `none` means an empty list
 * @returns the names
 */
export function listOf(text: string): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 1 && names[0] === 'none' ? [] : names;
}
