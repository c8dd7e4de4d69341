import { badInput } from './errors.ts';
import type { JsonObject } from './model.ts';
import { decode } from './text.ts';

/**
 * @param value any parsed JSON value
 * @returns whether it is an object and not a list
 */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param value any parsed JSON value
 * @param key name of a field
 * @returns the field's value; undefined when the value is not an object or has no such own field
 */
export function fieldOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/**
 * @param bytes content of a file; undefined when there is none
 * @returns the JSON object in it; undefined when the content is anything else
 */
export function objectIn(bytes: Uint8Array | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse((bytes === undefined ? undefined : decode(bytes))?.replace(/^\uFEFF/, '') ?? '');
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param record any record
 * @returns the same entries, sorted by name
 */
export function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Parses JSON that anyone may have written.
 * @param text the content of a file
 * @param name the user's name of the file, for errors
 * @param hint what to do when it is not JSON
 * @returns the value
 * @throws SlipwayError (exit code 2) when it is not JSON, or is nested too deep
 */
export function parseUntrusted(text: string, name: string, hint: string): unknown {
  const value = parseJsonText(text, name, hint);
  if (isTooDeep(value)) throw badInput(`${name} is nested deeper than ${deepest} levels`, hint);
  return value;
}

/**
 * Parses JSON. An error quotes nothing of the text, because the file may be a link to a secret.
 * @param text the content of a file
 * @param name the user's name of the file, for errors
 * @param hint what to do when it is not JSON
 * @returns the value
 * @throws SlipwayError (exit code 2) with line and column, when it is not JSON
 */
export function parseJsonText(text: string, name: string, hint: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const before = text.slice(0, faultIn(text)).split('\n');
    throw badInput(`${name} is not JSON: see line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`, hint);
  }
}

/** The max depth of lists and objects inside each other. No real file is this deep, and code that walks a value is recursive. */
const deepest = 100;

/**
 * @param value any parsed JSON value
 * @returns whether its lists and objects are nested deeper than in any real file
 */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) return true;
    level = level.flatMap((item): unknown[] => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

/** A token of JSON (RFC 8259) and the white space before it. */
const token =
  /[\t\n\r ]*([[\]{},:]|"[ !#-[\]-\uFFFF]*(?:\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})[ !#-[\]-\uFFFF]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][-+]?\d+)?|true|false|null)/y;
const blank = /[\t\n\r ]*/y;

/** The kinds of token that begin a value. */
const anyValue = '{["0';

/** Returns the position of the first fault. The messages of `JSON.parse` quote the text, and only some of them contain a position. */
function faultIn(text: string): number {
  const closers: string[] = [];
  /** The kinds of token that may follow. `0` is a number, `true`, `false` or `null`. */
  let due = anyValue;
  token.lastIndex = 0;
  for (;;) {
    blank.lastIndex = token.lastIndex;
    const first = token.exec(text)?.[1]?.charAt(0) ?? 'none';
    const kind = '{}[]:,"'.includes(first) ? first : '0';
    if (first === 'none' || !due.includes(kind)) {
      blank.exec(text);
      return blank.lastIndex;
    }
    const isKey = kind === '"' && (due === '"' || due === '"}');
    if (kind === '{' || kind === '[') closers.push(kind === '{' ? '}' : ']');
    if (kind === '}' || kind === ']') closers.pop();
    const closer = closers.at(-1) ?? '';
    if (kind === '{') due = '"}';
    else if (kind === '[') due = `${anyValue}]`;
    else if (kind === ':') due = anyValue;
    else if (kind === ',') due = closer === '}' ? '"' : anyValue;
    else if (isKey) due = ':';
    else due = closer === '' ? '' : `,${closer}`;
  }
}
