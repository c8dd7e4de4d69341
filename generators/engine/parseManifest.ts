import { Validator } from '@cfworker/json-schema';
import type { Catalogue } from './catalogue.ts';
import { badInput } from './errors.ts';
import { fieldOf } from './json.ts';
import { type Manifest, manifestPath } from './manifest.ts';
import { manifestSchema } from './manifestSchema.ts';
import { serviceNameFault } from './names.ts';
import { didYouMean } from './suggest.ts';

/**
 * Reads a manifest that is already at the catalogue's version.
 * @param text content of `slipway.json`
 * @param catalogue what decides which keys and values there are
 * @returns the manifest
 * @throws SlipwayError (exit code 2) listing every fault with its JSON pointer
 */
export function parseManifest(text: string, catalogue: Catalogue): Manifest {
  return validateManifest(parseJson(text), catalogue);
}

/**
 * @param text content of `slipway.json`
 * @returns the value it holds, not yet checked
 * @throws SlipwayError (exit code 2) when it is not JSON
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw badInput(
      `${manifestPath} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      'mend it by hand, or restore it from version control',
    );
  }
}

/**
 * @param value what `slipway.json` holds
 * @param catalogue what decides which keys and values there are
 * @returns the same value, typed
 * @throws SlipwayError (exit code 2) listing every fault with its JSON pointer
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
  const { valid, errors } = new Validator(schema, '2020-12', false).validate(value);
  if (!valid) {
    const faults = [...new Set(errors.flatMap((error) => describeFault(error, value, schema)))];
    throw badInput(`${manifestPath} is not a valid manifest:\n  ${faults.join('\n  ')}`, 'mend it by hand', { faults });
  }
  // The schema has just proved the shape.
  const manifest = value as Manifest;
  const nameFault = serviceNameFault(manifest.service.name);
  if (nameFault !== undefined) throw badInput(`${manifestPath}, /service/name: ${nameFault}`);
  return manifest;
}

interface SchemaFault {
  readonly keyword: string;
  readonly instanceLocation: string;
  readonly error: string;
}

/** Keywords that only say that something beneath them failed. */
const wrappers = new Set(['properties', 'items', 'additionalProperties', 'propertyNames', 'patternProperties']);

function describeFault(fault: SchemaFault, value: unknown, schema: object): string[] {
  const pointer = fault.instanceLocation.replace(/^#/, '') || '/';
  if (fault.keyword === 'false') {
    const key = lastPart(pointer);
    const parent = pointer.slice(0, pointer.lastIndexOf('/'));
    const known = knownKeys(schema, parent);
    return [`${pointer}: unknown key "${key}"${parent === '' ? '' : ` in ${parent}`} (${didYouMean(key, known)})`];
  }
  if (wrappers.has(fault.keyword)) return [];
  const given = JSON.stringify(at(value, pointer)) ?? 'nothing';
  return [`${pointer}: ${fault.error} (given: ${given.length > 80 ? `${given.slice(0, 77)}...` : given})`];
}

/** The keys that the schema knows for the object at a pointer. */
function knownKeys(schema: object, pointer: string): string[] {
  const parents = pointer
    .split('/')
    .slice(1)
    .flatMap((part) => ['properties', part]);
  return Object.keys(object(at(schema, ['', ...parents, 'properties'].join('/'))));
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

/** The value at a JSON pointer (RFC 6901), or undefined. */
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
