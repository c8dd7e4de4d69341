import path from 'node:path';
import type { Catalogue } from './engine/model.ts';
import { parseCatalogue } from './engine/catalogueText.ts';
import { badInput } from './engine/errors.ts';
import { isObject } from './engine/json.ts';
import { requiresFault } from './engine/resolve.ts';
import { printers } from './printers.ts';
import { readText } from './readText.ts';

/** The built-in catalogue lies beside the bundled executables. */
const builtIn = path.join(import.meta.dirname, 'catalogue.jsonl');

/**
 * Loads the catalogue. A catalogue is plain data; no code in it runs.
 * @param file a catalogue other than the built-in one, absolute or relative to `cwd`
 * @param cwd the current folder
 * @returns the catalogue
 * @throws SlipwayError (exit code 2) when the file cannot be read or is not a catalogue
 */
export function loadCatalogue(file: string | undefined, cwd: string): Catalogue {
  const source = file === undefined ? builtIn : path.resolve(cwd, file);
  const value = parseCatalogue(readText(source, 'the catalogue'), source);
  if (!isCatalogue(value)) throw badInput(`${source} is not a Slipway catalogue`, 'build one with `npm run build`');
  const fault = requiresFault(value.modules);
  if (fault === undefined) return Object.assign(value, { printers });
  throw badInput(
    `the catalogue ${source} is damaged: ${fault}`,
    'correct `requires` of one of these modules and build the catalogue again',
  );
}

function isCatalogue(value: unknown): value is Omit<Catalogue, 'printers'> {
  const keys = ['version', 'manifestVersion', 'migrations', 'node', 'versions', 'base', 'modules', 'presets'];
  return isObject(value) && keys.every((key) => key in value) && isObject(value['modules']);
}
