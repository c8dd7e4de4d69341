import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import type { Static, TSchema } from 'typebox';

/**
 * The validator that Fastify uses, which is loaded anyway; `typebox/value` would be 300 more files to load at start. It keeps each
 * schema object for ever: do not build schemas for each request. It does not keep an `$id`, because another schema may have the same.
 * It does not validate schemas, because it would compile the schema of schemas at start, and TypeBox makes valid ones.
 */
const ajv = new Ajv({
  allErrors: true,
  strict: false,
  strictNumbers: true,
  addUsedSchema: false,
  validateSchema: false,
});
// Its types are those of a module of another kind than this.
formats.default(ajv);

/** What is wrong with one part of a value. */
export interface Fault {
  /** JSON Pointer (RFC 6901) to the part. */
  readonly pointer: string;
  /** The keyword of JSON Schema that it breaks, such as `minimum`. */
  readonly rule: string;
  readonly detail: string;
}

type AjvFault = Pick<ErrorObject<string, Record<string, unknown>>, 'instancePath' | 'keyword' | 'params' | 'message'>;

const copies = new WeakMap<TSchema, object>();

/** Ajv refuses a schema in which an `$id` occurs twice, such as an entity in two members: only the first one keeps it. */
function compilable(schema: TSchema): object {
  const known = copies.get(schema);
  if (known !== undefined) return known;
  const ids = new Set<unknown>();
  const text = JSON.stringify(schema, (name, value: unknown) => {
    const isRepeated = name === '$id' && ids.has(value);
    if (name === '$id') ids.add(value);
    return isRepeated ? undefined : value;
  });
  const parsed: unknown = JSON.parse(text);
  const copy = typeof parsed === 'object' && parsed !== null ? parsed : schema;
  copies.set(schema, copy);
  return copy;
}

/** @returns whether a value is of the type that a schema describes */
export function matches<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  return ajv.validate(compilable(schema), value);
}

/** @returns all that is wrong with a value; nothing when it is of the type that the schema describes */
export function faultsOf(schema: TSchema, value: unknown): Fault[] {
  ajv.validate(compilable(schema), value);
  return (ajv.errors ?? []).map(faultOf);
}

/**
 * @param error of a validator. It reports a missing or unknown property at its object
 * @returns the fault at the property
 */
export function faultOf({ instancePath, keyword, params, message = 'is not valid' }: AjvFault): Fault {
  const property = params['missingProperty'] ?? params['additionalProperty'];
  const name = typeof property === 'string' ? `/${property.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
  return { pointer: instancePath + name, rule: keyword, detail: message };
}
