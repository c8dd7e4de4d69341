import { fieldOf, isObject, parseJsonText } from './json.ts';
import type { Catalogue, JsonObject } from './model.ts';
import { badInput, type SlipwayError } from './errors.ts';
import { decode, encode } from './text.ts';

/**
 * Prints a catalogue. The first line is JSON. In place of the content of each file, of what a module adds to resources, and of each
 * lockfile, it has the size of the content in bytes. The contents follow, one after the other: a `text` as it is, any other content as
 * JSON. A command therefore reads only the contents that it needs, whatever the size of the catalogue.
 * @param catalogue all modules
 * @returns its text
 */
export function printCatalogue({ printers: _printers, ...catalogue }: Catalogue): string {
  const whole: unknown = JSON.parse(JSON.stringify(catalogue));
  const contents = placesOf(whole).map(([holder, name]) => {
    const content = name === 'text' ? String(holder[name]) : JSON.stringify(holder[name]);
    holder[name] = encode(content).length;
    return content;
  });
  return `${JSON.stringify(whole)}\n${contents.join('')}`;
}

/**
 * @param bytes the text that `printCatalogue` returns
 * @param source origin of the bytes, for errors
 * @returns the catalogue, not yet validated
 * @throws SlipwayError (exit code 2) when the bytes are not a catalogue; for a content, when it is first read
 */
export function parseCatalogue(bytes: Uint8Array, source: string): unknown {
  const name = `the catalogue ${source}`;
  const feed = bytes.indexOf(lineFeed);
  let end = feed === -1 ? bytes.length : feed + 1;
  const whole = parseJsonText(textIn(bytes.subarray(0, end), name), name, rebuild);
  for (const [holder, field] of placesOf(whole)) {
    const [start, size] = [end, holder[field]];
    if (typeof size !== 'number' || !(size >= 0)) throw notWhole(name);
    end += size;
    const content = bytes.subarray(start, end);
    giveLazily(holder, field, () =>
      field === 'text' ? textIn(content, name) : parseJsonText(textIn(content, name), name, rebuild),
    );
  }
  if (end !== bytes.length) throw notWhole(name);
  return whole;
}

const lineFeed = 10;

const rebuild = 'build it again, or ask its author for a correct one';

function notWhole(name: string): SlipwayError {
  return badInput(`${name} is not whole`, rebuild);
}

function textIn(bytes: Uint8Array, name: string): string {
  const text = decode(bytes);
  if (text === undefined) throw badInput(`${name} is not text`, rebuild);
  return text;
}

/** Returns the object and the name of each field that has a content. Nothing in the catalogue is validated yet. */
function placesOf(catalogue: unknown): Place[] {
  const modules = [fieldOf(catalogue, 'base'), ...valuesOf(fieldOf(catalogue, 'modules'))];
  const files = modules.flatMap((module): unknown => fieldOf(module, 'files') ?? []);
  return [
    ...files.flatMap((file) => fieldsOf(file)).filter(([, name]) => name === 'text' || name === 'template'),
    ...modules.flatMap((module) => fieldsOf(module)).filter(([, name]) => name === 'resource'),
    ...fieldsOf(fieldOf(catalogue, 'lockfiles')),
  ];
}

type Place = readonly [holder: JsonObject, name: string];

function fieldsOf(holder: unknown): Place[] {
  return isObject(holder) ? Object.keys(holder).map((name) => [holder, name]) : [];
}

function valuesOf(value: unknown): unknown[] {
  return isObject(value) ? Object.values(value) : [];
}

/** Replaces the value of a field. The first read calculates the value, and later reads return the same value. */
function giveLazily(holder: JsonObject, name: string, calculate: () => unknown): void {
  let value: unknown;
  Object.defineProperty(holder, name, { enumerable: true, get: () => (value ??= calculate()) });
}
