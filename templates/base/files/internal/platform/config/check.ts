import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { Static, TObject, TSchema } from 'typebox';

/**
 * The validator that Fastify uses, which is loaded anyway; `typebox/value` would be 300 more files to load at start. It keeps each
 * schema object for ever: do not build schemas for each request. It does not keep an `$id`, because another schema may have the same.
 */
const ajv = new Ajv({ allErrors: true, strict: false, strictNumbers: true, addUsedSchema: false });
// Its types are those of a module of another kind than this.
formats.default(ajv);

/** @returns whether a value is of the type that a schema describes */
export function matches<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  return ajv.validate(schema, value);
}

/** @returns the names of the properties that are missing or not as the schema says */
export function faultyProperties(schema: TObject, value: object): Set<string> {
  ajv.validate(schema, value);
  const errors = ajv.errors ?? [];
  return new Set(errors.flatMap(({ instancePath, params }) => instancePath.split('/')[1] ?? missingIn(params)));
}

function missingIn(params: Record<string, unknown>): string {
  return String(params['missingProperty']);
}
