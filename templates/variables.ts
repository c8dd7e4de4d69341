import type { ConfigVariable } from '../generators/engine/catalogue.ts';

type Scalar = string | number | boolean;

/** The part of JSON Schema that describes one environment variable. */
interface VariableSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Scalar;
  readonly examples?: readonly Scalar[];
  readonly secret?: boolean;
  readonly enum?: readonly Scalar[];
  readonly anyOf?: readonly { readonly const?: Scalar }[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/**
 * @param schema a TypeBox object, keyed by environment variable
 * @param file where it stands, for errors
 * @returns each variable as the documents show it
 * @throws Error when it is no such schema, or a variable lacks what the documents need
 */
export function describeVariables(schema: unknown, file: string): ConfigVariable[] {
  if (!isObjectSchema(schema)) throw new Error(`${file} does not export "config", a TypeBox object`);
  return Object.entries(schema.properties).map(([name, variable]) => {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`${file}: ${name} is not an environment variable's name`);
    if (variable.description === undefined) throw new Error(`${file}: ${name} has no description`);
    const [example] = variable.examples ?? [];
    return {
      name,
      description: variable.description,
      expects: expectation(variable),
      ...(variable.default === undefined ? {} : { default: String(variable.default) }),
      ...(example === undefined ? {} : { example: String(example) }),
      secret: variable.secret ?? false,
      required: schema.required?.includes(name) === true && variable.default === undefined,
    };
  });
}

function isObjectSchema(
  value: unknown,
): value is { readonly properties: Record<string, VariableSchema>; readonly required?: readonly string[] } {
  return typeof value === 'object' && value !== null && 'properties' in value;
}

/** What a value must look like, in words. */
function expectation(schema: VariableSchema): string {
  const choices = schema.enum ?? schema.anyOf?.map((option) => option.const);
  if (choices !== undefined) return choices.map(String).join(', ');
  const kind = schema.format ?? schema.type ?? 'text';
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${kind}, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${kind}, at least ${minimum}`;
  return maximum === undefined ? kind : `${kind}, at most ${maximum}`;
}
