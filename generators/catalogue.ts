import path from 'node:path';
import type { Catalogue, CatalogueModule } from './engine/model.ts';
import { catalogueFault, catalogueKeys } from './engine/catalogueSchema.ts';
import { parseCatalogue } from './engine/catalogueText.ts';
import { badInput } from './engine/errors.ts';
import { isObject } from './engine/json.ts';
import { isReserved } from './engine/reconcile/lock.ts';
import { requiresFault } from './engine/resolve.ts';
import { pathFault } from './io/paths.ts';
import { printers } from './printers.ts';
import { readBytes } from './readText.ts';
import { quoted } from './report/visible.ts';

/** The built-in catalogue lies beside the bundled executables. */
const builtIn = path.join(import.meta.dirname, 'catalogue.txt');

/**
 * Loads the catalogue. A catalogue is plain data; no code in it runs.
 * @param file a catalogue other than the built-in one, absolute or relative to `cwd`
 * @param cwd the current folder
 * @returns the catalogue
 * @throws SlipwayError (exit code 2) when the file cannot be read or is not a catalogue
 */
export function loadCatalogue(file: string | undefined, cwd: string): Catalogue {
  const source = file === undefined ? builtIn : path.resolve(cwd, file);
  const value = parseCatalogue(readBytes(source, 'the catalogue'), source);
  if (!isCatalogue(value)) throw badInput(`${source} is not a Slipway catalogue`, 'build one with `npm run build`');
  // The built-in catalogue is checked where it is built.
  if (file !== undefined) refuseInvalid(value, `the catalogue ${source}`);
  return Object.assign(value, { printers });
}

function isCatalogue(value: unknown): value is Omit<Catalogue, 'printers'> {
  return isObject(value) && catalogueKeys.every((key) => key in value) && isObject(value['modules']);
}

/** Refuses a catalogue of someone else that has a wrong shape, or files that a service cannot have. */
function refuseInvalid(value: Omit<Catalogue, 'printers'>, name: string): void {
  const fault = catalogueFault(value);
  if (fault !== undefined) throw badInput(`${name} is damaged: ${fault}`, hint);
  const missing = requiresFault(value.modules);
  if (missing !== undefined)
    throw badInput(
      `${name} is damaged: ${missing}`,
      'correct `requires` of one of these modules and build the catalogue again',
    );
  const known = new Map<string, string>();
  for (const [id, module] of [['base', value.base] as const, ...Object.entries(value.modules)]) {
    if (module.id !== id) throw badInput(`${name} is damaged: module ${quoted(id)} calls itself "${module.id}"`, hint);
    for (const one of pathsOf(module)) {
      const why = pathFault(one) ?? (isReserved(one) ? 'is where Slipway keeps its own state' : undefined);
      if (why !== undefined) throw badInput(`${name}, module "${id}": the path ${quoted(one)} ${why}`, hint);
    }
    for (const { path: one } of module.files) {
      const folded = one.normalize('NFC').toLowerCase();
      const twin = known.get(folded) ?? one;
      if (twin !== one)
        throw badInput(`${name}, module "${id}": ${one} and ${twin} are the same file on some disks`, hint);
      known.set(folded, one);
    }
  }
}

const hint = 'ask its author for a correct one';

/** All paths that a module names. A folder may end with a slash. */
function pathsOf({ files, resource, hosts = [], renamed = {}, ownership = {}, ...more }: CatalogueModule): string[] {
  const { managed = [], seed = [] } = ownership;
  const { platformTests = [], wiring = {} } = more;
  return [
    ...files.map((file) => file.path),
    // The names that they hold are valid in every path.
    ...(resource?.files ?? []).map(({ path: parts }) =>
      parts.map((part) => (typeof part === 'string' ? part : 'x')).join(''),
    ),
    ...[...hosts, ...Object.entries(renamed).flat(), ...managed, ...seed, ...platformTests, ...Object.values(wiring)],
  ].map((one) => one.replace(/\/$/, ''));
}
