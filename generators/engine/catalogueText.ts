import { fieldOf, isObject, whyNotJson } from './json.ts';
import type { Catalogue, JsonObject } from './model.ts';
import { badInput } from './errors.ts';

/**
 * The text of a catalogue is JSON Lines (https://jsonlines.org): the catalogue without the files of its modules and the lockfiles,
 * then the files of one module a line, in the order of the modules, then a line for each lockfile. So a command parses what it
 * needs, however much the catalogue has.
 * @param catalogue all modules
 * @returns its text, in ASCII: such a file is read and parsed in half the time
 */
export function printCatalogue({ modules, lockfiles, printers: _printers, ...whole }: Catalogue): string {
  const bare = Object.entries(modules).map(([id, { files: _files, ...module }]) => [id, module] as const);
  const files = Object.values(modules).map((module) => module.files);
  const named = lockfiles && { lockfiles: Object.fromEntries(Object.keys(lockfiles).map((name) => [name, null])) };
  const first = { ...whole, ...named, modules: Object.fromEntries(bare) };
  const lines = [first, ...files, ...Object.values(lockfiles ?? {})].map((value) => JSON.stringify(value));
  return inAscii(`${lines.join('\n')}\n`);
}

/**
 * @param text as `printCatalogue` gives it
 * @param source where the text comes from, for errors
 * @returns the catalogue, which nothing has checked yet
 * @throws SlipwayError (exit code 2) when it is not such a text; for the files of a module, once they are asked for
 */
export function parseCatalogue(text: string, source: string): unknown {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const whole = parse(first, source);
  const modules = Object.values(fieldOf(whole, 'modules') ?? {}).filter(isObject);
  const lockfiles = fieldOf(whole, 'lockfiles');
  const fields = [
    ...modules.map((module) => [module, 'files'] as const),
    ...(isObject(lockfiles) ? Object.keys(lockfiles).map((name) => [lockfiles, name] as const) : []),
  ];
  if (fields.length !== lines.length) throw badInput(`the catalogue ${source} is not whole`, 'build it anew');
  for (const [index, [holder, name]] of fields.entries()) giveLazily(holder, name, lines[index] ?? '', source);
  return whole;
}

/** Gives an object a field, which is parsed when it is asked for, and once. */
function giveLazily(holder: JsonObject, name: string, line: string, source: string): void {
  let value: unknown;
  Object.defineProperty(holder, name, { enumerable: true, get: () => (value ??= parse(line, source)) });
}

function parse(line: string, source: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw badInput(`the catalogue ${source} is not JSON: ${whyNotJson(error)}`);
  }
}

function inAscii(json: string): string {
  return json.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
