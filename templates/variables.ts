import { type TObject, type TSchema, Type } from 'typebox';
import type { ConfigVariable } from '../generators/engine/model.ts';
import { expectation } from './base/files/internal/platform/config/config.ts';

/** The annotations of a variable that the documents need, besides its type. */
interface Annotations {
  readonly description?: string;
  readonly default?: string | number | boolean;
  readonly examples?: readonly (string | number | boolean)[];
  readonly secret?: boolean;
  /** The value in Kubernetes, where it is not the default. */
  readonly kubernetes?: string | number | boolean;
}

/**
 * @param schema a TypeBox object, keyed by environment variable
 * @param file path of the schema, for errors
 * @returns each variable for the documents, in the words of the service itself
 * @throws Error when it is not such a schema, or a variable lacks what the documents need
 */
export function describeVariables(schema: unknown, file: string): ConfigVariable[] {
  if (!isObjectSchema(schema)) throw new Error(`${file} does not export "config", a TypeBox object`);
  return Object.entries(schema.properties).map(([name, variable]) => describe(name, variable, schema, file));
}

function describe(name: string, variable: TSchema & Annotations, { required }: TObject, file: string): ConfigVariable {
  const { description, default: value, examples: [example] = [], secret = false, kubernetes } = variable;
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`${file}: ${name} is not an environment variable's name`);
  if (description === undefined) throw new Error(`${file}: ${name} has no description`);
  return {
    name,
    description,
    expects: expectation(variable),
    ...(value === undefined ? {} : { default: String(value) }),
    ...(example === undefined ? {} : { example: String(example) }),
    ...(kubernetes === undefined ? {} : { kubernetes: String(kubernetes) }),
    secret,
    required: required.includes(name) && value === undefined,
  };
}

function isObjectSchema(value: unknown): value is TObject {
  return Type.IsSchema(value) && Type.IsObject(value);
}
