import { Validator } from '@cfworker/json-schema';
import { fieldOf, parseUntrusted } from './json.ts';
import { manifestPath } from './manifest.ts';
import type { Catalogue, Manifest } from './model.ts';
import { hasConflictMarkers } from './text.ts';
import { badInput, type SlipwayError } from './errors.ts';
import { manifestSchema } from './manifestSchema.ts';
import { descriptionFault, maximumPatternLength, serviceNameFault } from './names.ts';
import { resourceFaults } from './resources/check.ts';
import { didYouMean } from './suggest.ts';

/**
 * Parses a manifest that already has the catalogue's version.
 * @param text content of `slipway.json`
 * @param catalogue defines the valid keys and values
 * @returns the manifest
 * @throws SlipwayError (exit code 2) that lists every fault with its JSON pointer
 */
export function parseManifest(text: string, catalogue: Catalogue): Manifest {
  return validateManifest(parseJson(text), catalogue);
}

/**
 * @param text content of `slipway.json`
 * @returns the parsed value, not yet validated
 * @throws SlipwayError (exit code 2) when it is not JSON
 */
export function parseJson(text: string): unknown {
  if (hasConflictMarkers(text)) {
    throw badInput(
      `${manifestPath} holds an unresolved conflict`,
      'during a merge of git run `slipway resolve`; otherwise resolve it, then run `slipway update`',
    );
  }
  return parseUntrusted(
    text.replace(/^\uFEFF/, ''),
    manifestPath,
    'mend it by hand, or restore it from version control',
  );
}

/**
 * @param value the content of `slipway.json`
 * @param catalogue defines the valid keys and values
 * @returns the same value, typed
 * @throws SlipwayError (exit code 2) that lists every fault with its JSON pointer
 */
export function validateManifest(value: unknown, catalogue: Catalogue): Manifest {
  const schema = manifestSchema(catalogue);
  const version = fieldOf(value, 'version');
  if (typeof version === 'number' && version > catalogue.manifestVersion) {
    throw badInput(
      `${manifestPath} has version ${version}; this Slipway understands up to ${catalogue.manifestVersion}`,
      'run a newer one: npx create-slipway@latest',
    );
  }
  if (isLarge(value)) throw badInput(`${manifestPath} holds more than ${mostValues} values`, 'mend it by hand');
  const { valid, errors } = validate(schema, value);
  if (!valid) throw invalid([...new Set(errors.flatMap((error) => describeFault(error, value, schema)))]);
  // The schema has validated the type.
  const manifest = value as Manifest;
  const nameFault = serviceNameFault(manifest.service.name);
  if (nameFault !== undefined) throw invalid([`/service/name: ${nameFault}`]);
  const { path = '', workspace = '.' } = manifest.monorepo ?? {};
  if (workspace !== '.' && !path.startsWith(`${workspace}/`))
    throw invalid([`/monorepo/workspace: ${workspace} does not contain ${path}`]);
  const faults = resourceFaults(manifest.resources ?? {});
  if (faults.length > 0) throw invalid(faults);
  return manifest;
}

/** The max number of values in a manifest. Some checks take quadratic time. */
const mostValues = 30_000;

function isLarge(value: unknown): boolean {
  let left = mostValues;
  // The loop also visits the items that it appends.
  const values = [value];
  for (const item of values) {
    left -= 1;
    if (left < 0) return true;
    if (typeof item === 'object' && item !== null) {
      const inner: unknown[] = Object.values(item);
      if (inner.length > left) return true;
      values.push(...inner);
    }
  }
  return false;
}

function validate(schema: object, value: unknown): ReturnType<Validator['validate']> {
  try {
    return new Validator(schema, '2020-12', false).validate(value);
  } catch (error) {
    // The validator writes the location of a fault as part of a URI. Half of a surrogate pair cannot be part of a URI.
    if (error instanceof URIError) throw invalid(['/: holds a key that is no text: half of a surrogate pair']);
    throw error;
  }
}

function invalid(faults: readonly string[]): SlipwayError {
  const lines = faults.slice(0, 12).map((fault) => fault.replaceAll('\n', String.raw`\n`).slice(0, longestFault));
  const listed = faults.length > 12 ? [...lines.slice(0, 11), `and ${faults.length - 11} more faults`] : lines;
  const message = [`${manifestPath} is not a valid manifest:`, ...listed].join('\n  ');
  return badInput(message, 'mend it by hand', { faults: listed });
}

/** The max length of one fault. A key may have any length. */
const longestFault = 500;

interface SchemaFault {
  readonly keyword: string;
  readonly keywordLocation: string;
  readonly instanceLocation: string;
  readonly error: string;
}

/** Keywords whose fault only says that a nested rule failed. */
const wrappers = new Set(['properties', 'items', 'additionalProperties', 'propertyNames', 'patternProperties']);

function describeFault(fault: SchemaFault, value: unknown, schema: object): string[] {
  const pointer = decodeURI(fault.instanceLocation).replace(/^#/, '') || '/';
  if (wrappers.has(fault.keyword)) return [];
  if (fault.keyword === 'false') {
    const key = lastPart(pointer);
    const parent = pointer.slice(0, pointer.lastIndexOf('/'));
    const known = knownKeys(schema, parent);
    return [
      `${pointer}: unknown key ${JSON.stringify(key)}${parent === '' ? '' : ` in ${parent}`} (${didYouMean(key, known)})`,
    ];
  }
  const given = at(value, pointer);
  const rule = at(schema, fault.keywordLocation.replace(/^#/, ''));
  if (fault.keyword === 'required') {
    const missing = Object.values(object(rule))
      .map(String)
      .filter((key) => !Object.hasOwn(object(given), key));
    return missing.map((key) => `${pointer}: "${key}" is missing`);
  }
  return [`${pointer}: ${complaint(fault, pointer, given, rule)}`];
}

/** Describes in words what a rule of the schema requires. */
function complaint({ keyword, error }: SchemaFault, pointer: string, given: unknown, rule: unknown): string {
  switch (keyword) {
    case 'type':
      return `expected ${aOrAn(String(rule))}; given: ${shown(given)}`;
    case 'const':
      return `expected ${JSON.stringify(rule)}; given: ${shown(given)}`;
    case 'enum':
      return `expected ${Object.values(object(rule))
        .map((choice) => JSON.stringify(choice))
        .join(' or ')}; given: ${shown(given)}`;
    case 'uniqueItems':
      return 'names something twice';
    case 'maxProperties':
      return `holds more than ${String(rule)}; given: ${Object.keys(object(given)).length}`;
    case 'minLength':
      return 'is empty';
    case 'pattern':
    case 'maxLength':
      return textFault(pointer, String(given));
    default:
      return error;
  }
}

function textFault(pointer: string, text: string): string {
  if (pointer.startsWith('/conflicts/')) return `a pattern has at most ${maximumPatternLength} characters`;
  const known = { '/service/name': serviceNameFault, '/service/description': descriptionFault };
  const fault = Object.entries(known).find(([place]) => place === pointer)?.[1](text);
  if (pointer.startsWith('/monorepo/'))
    return `expected a relative path, such as "services/orders"; given: ${shown(text)}`;
  return fault ?? `expected a version, such as "1.2.3"; given: ${shown(text)}`;
}

function aOrAn(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

/** Describes a value: a list or an object by its type, any other value as JSON with at most 60 characters. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Returns the keys that the schema allows for the object at a pointer. */
function knownKeys(schema: object, pointer: string): string[] {
  const rule = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((above, part) => at(above, `/properties/${part}`) ?? at(above, '/additionalProperties'), schema);
  return Object.keys(object(at(rule, '/properties')));
}

function lastPart(pointer: string): string {
  return pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
}

function object(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** Returns the value at a JSON pointer (RFC 6901), or undefined. */
function at(value: unknown, pointer: string): unknown {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((part) => lastPart(`/${part}`));
  return keys.reduce<unknown>(
    (found, key) => (key === '' ? found : Object.entries(object(found)).find(([name]) => name === key)?.[1]),
    value,
  );
}
