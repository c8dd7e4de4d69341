import { type TSchema, Type } from 'typebox';

/**
 * @param schema of one variable
 * @returns in words what a value must look like, such as "an integer from 0 to 65535"
 */
export function expectation(schema: TSchema): string {
  if ('enum' in schema && Array.isArray(schema.enum)) return `one of ${schema.enum.join(', ')}`;
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsInteger(schema)) return `an integer${range(schema)}`;
  if (Type.IsNumber(schema)) return `a number${range(schema)}`;
  if ('format' in schema) return `a ${String(schema.format)}`;
  return 'pattern' in schema ? `text that matches ${String(schema.pattern)}` : 'text that is not empty';
}

function range(schema: object): string {
  const { minimum, maximum }: { readonly minimum?: unknown; readonly maximum?: unknown } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${String(minimum)} to ${String(maximum)}`;
  if (minimum !== undefined) return ` of at least ${String(minimum)}`;
  return maximum === undefined ? '' : ` of at most ${String(maximum)}`;
}
