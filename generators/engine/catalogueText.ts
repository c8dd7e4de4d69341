import type { Catalogue } from './catalogue.ts';
import { badInput } from './errors.ts';
import { type JsonObject, fieldOf, isObject, whyNotJson } from './json.ts';

/**
 * The text of a catalogue is JSON Lines (https://jsonlines.org): the catalogue without the files of its modules, then the files
 * of one module a line, in the order of the modules. So a command parses the files of the modules that it needs, however many
 * the catalogue has.
 * @param catalogue all modules
 * @returns its text, in ASCII: such a file is read and parsed in half the time
 */
export function printCatalogue({ modules, ...whole }: Catalogue): string {
  const bare = Object.entries(modules).map(([id, { files: _files, ...module }]) => [id, module] as const);
  const files = Object.values(modules).map((module) => module.files);
  const lines = [{ ...whole, modules: Object.fromEntries(bare) }, ...files].map((value) => JSON.stringify(value));
  return inAscii(`${lines.join('\n')}\n`);
}

/**
 * @param text as `printCatalogue` gives it
 * @param source where the text comes from, for errors
 * @returns the catalogue, which nothing has checked yet
 * @throws SlipwayError (exit code 2) when it is not such a text; for the files of a module, once they are asked for
 */
export function parseCatalogue(text: string, source: string): unknown {
  const [first = '', ...files] = text.trimEnd().split('\n');
  const whole = parse(first, source);
  const modules = Object.values(fieldOf(whole, 'modules') ?? {}).filter(isObject);
  if (modules.length !== files.length) throw badInput(`the catalogue ${source} is not whole`, 'build it anew');
  for (const [index, line] of files.entries()) giveFiles(modules[index] ?? {}, line, source);
  return whole;
}

/** Gives a module its files, which are parsed when they are asked for, and once. */
function giveFiles(module: JsonObject, line: string, source: string): void {
  let files: unknown;
  Object.defineProperty(module, 'files', { enumerable: true, get: () => (files ??= parse(line, source)) });
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
