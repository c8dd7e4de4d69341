import { fieldOf, isObject, parseJsonText } from './json.ts';
import type { Catalogue, JsonObject } from './model.ts';
import { badInput } from './errors.ts';
import { decode } from './text.ts';

/**
 * Prints a catalogue as JSON Lines (https://jsonlines.org). The first line is the catalogue without the files of its modules,
 * what they add to resources, and the lockfiles. Then follow the files of each module, one line per module, in the order of the modules.
 * Then follows one line for each module that adds to resources, and one line for each lockfile. A command therefore parses only the lines it needs, whatever the size of the catalogue.
 * @param catalogue all modules
 * @returns its text in ASCII, because an ASCII file takes half the time to read and parse
 */
export function printCatalogue({ modules, lockfiles, printers: _printers, ...whole }: Catalogue): string {
  const bare = Object.entries(modules).map(
    ([id, { files: _files, resource, ...module }]) =>
      [id, { ...module, ...(resource === undefined ? {} : { resource: null }) }] as const,
  );
  const files = Object.values(modules).map((module) => module.files);
  const additions = Object.values(modules).flatMap(({ resource = [] }) => resource);
  const named = lockfiles && { lockfiles: Object.fromEntries(Object.keys(lockfiles).map((name) => [name, null])) };
  const first = { ...whole, ...named, modules: Object.fromEntries(bare) };
  const lines = [first, ...files, ...additions, ...Object.values(lockfiles ?? {})].map((value) =>
    JSON.stringify(value),
  );
  return inAscii(`${lines.join('\n')}\n`);
}

/**
 * @param bytes the text that `printCatalogue` returns
 * @param source origin of the bytes, for errors
 * @returns the catalogue, not yet validated
 * @throws SlipwayError (exit code 2) when the bytes are not a catalogue; for the files of a module, when they are first read
 */
export function parseCatalogue(bytes: Uint8Array, source: string): unknown {
  const [first, ...lines] = linesIn(bytes);
  const parsed = (line: Uint8Array = new Uint8Array()): unknown =>
    parseJsonText(decode(line) ?? '', `the catalogue ${source}`, rebuild);
  const whole = parsed(first);
  const modules = Object.values(fieldOf(whole, 'modules') ?? {}).filter(isObject);
  const lockfiles = fieldOf(whole, 'lockfiles');
  const fields = [
    ...modules.map((module) => [module, 'files'] as const),
    ...modules.flatMap((module) => ('resource' in module ? [[module, 'resource'] as const] : [])),
    ...(isObject(lockfiles) ? Object.keys(lockfiles).map((name) => [lockfiles, name] as const) : []),
  ];
  if (fields.length !== lines.length) throw badInput(`the catalogue ${source} is not whole`, rebuild);
  for (const [index, [holder, name]] of fields.entries()) giveLazily(holder, name, () => parsed(lines[index]));
  return whole;
}

const rebuild = 'build it again, or ask its author for a correct one';

const lineFeed = 10;

function linesIn(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(lineFeed, start);
    const end = feed === -1 ? bytes.length : feed;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** Adds a field to an object. The first read calculates the value, and later reads return the same value. */
function giveLazily(holder: JsonObject, name: string, calculate: () => unknown): void {
  let value: unknown;
  Object.defineProperty(holder, name, { enumerable: true, get: () => (value ??= calculate()) });
}

function inAscii(json: string): string {
  return json.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
