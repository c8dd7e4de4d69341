import { type TSchema, Type } from 'typebox';

/** The keywords of JSON Schema that say what a value must look like. */
interface Keywords {
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * Of an integer whose schema names no maximum: the most milliseconds that a timer of Node waits. What is set to more fires at
 * once, and more bytes than that fit into no string.
 */
export const largestInteger = 2 ** 31 - 1;

/**
 * @param schema of one variable
 * @returns in words what a value must look like, such as "an integer from 0 to 65535"
 */
export function expectation(schema: TSchema): string {
  const { enum: choices, format, pattern, minLength = 1 }: Keywords = schema;
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsInteger(schema)) return `an integer${range({ maximum: largestInteger, ...schema })}`;
  if (Type.IsNumber(schema)) return `a number${range(schema)}`;
  if (format !== undefined) return `a ${format}`;
  if (pattern !== undefined) return `text that matches ${pattern}`;
  return minLength > 1 ? `text of at least ${minLength} characters` : 'text that is not empty';
}

function range(schema: object): string {
  const { minimum, maximum }: Keywords = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}
