import { fieldOf, isObject, parseJsonText } from './json.ts';
import type { Catalogue, JsonObject } from './model.ts';
import { badInput } from './errors.ts';

/**
 * Prints a catalogue as JSON Lines (https://jsonlines.org). The first line is the catalogue without the files of its modules and
 * without the lockfiles. Then follow the files of each module, one line per module, in the order of the modules. Then follows one line
 * for each lockfile. A command therefore parses only the lines it needs, whatever the size of the catalogue.
 * @param catalogue all modules
 * @returns its text in ASCII, because an ASCII file takes half the time to read and parse
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
 * @param text as `printCatalogue` returns it
 * @param source origin of the text, for errors
 * @returns the catalogue, not yet validated
 * @throws SlipwayError (exit code 2) when the text is not a catalogue; for the files of a module, when they are first read
 */
export function parseCatalogue(text: string, source: string): unknown {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const whole = parseJsonText(first, `the catalogue ${source}`, rebuild);
  const modules = Object.values(fieldOf(whole, 'modules') ?? {}).filter(isObject);
  const lockfiles = fieldOf(whole, 'lockfiles');
  const fields = [
    ...modules.map((module) => [module, 'files'] as const),
    ...(isObject(lockfiles) ? Object.keys(lockfiles).map((name) => [lockfiles, name] as const) : []),
  ];
  if (fields.length !== lines.length) throw badInput(`the catalogue ${source} is not whole`, rebuild);
  for (const [index, [holder, name]] of fields.entries()) giveLazily(holder, name, lines[index] ?? '', source);
  return whole;
}

const rebuild = 'build it again, or ask its author for a correct one';

/** Adds a field to an object. The first read parses the line, and later reads return the same value. */
function giveLazily(holder: JsonObject, name: string, line: string, source: string): void {
  let value: unknown;
  Object.defineProperty(holder, name, {
    enumerable: true,
    get: () => (value ??= parseJsonText(line, `the catalogue ${source}`, rebuild)),
  });
}

function inAscii(json: string): string {
  return json.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
