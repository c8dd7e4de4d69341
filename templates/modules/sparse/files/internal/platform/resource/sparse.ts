import { type TObject, type TSchema, type TUnsafe, Type } from 'typebox';
import { type Entity, invalid, type ListQuery } from '../../../pkg/resource/index.ts';
import { shownOf } from '../entities/shown.ts';
import { page, type PageQuery } from './http.ts';

/** For the `querystring` of a list. */
export const sparse = {
  fields: Type.Optional(
    Type.String({ description: 'The fields of each entry besides `id`, separated by commas; all by default' }),
  ),
};

/**
 * @param entity schema of a whole entity in replies
 * @param options id and description of the new schema
 * @returns the schema of an entry of a list: each field but `id` may be missing
 */
export function entryOf(
  entity: TObject,
  options: { readonly $id: string; readonly description: string },
): TUnsafe<object> & { readonly $id?: string } {
  const { id = Type.String(), ...others } = entity.properties;
  const optional = Object.entries(others).map(([name, field]) => {
    // The serialiser would write the default of a field that is missing.
    const { default: _, ...value }: TSchema & { default?: unknown } = field;
    return [name, Type.Optional(value)] as const;
  });
  return Type.Unsafe<object>(Type.Object({ id, ...Object.fromEntries(optional) }, options));
}

/**
 * As `page`, with the fields that the caller asks for.
 * @param entity schema of a whole entity in replies: a field that is not in it does not exist for callers
 * @param query of the request
 * @param list finds entities
 * @returns a page, and the cursor of the next page if there is one
 * @throws {ServiceError} 400 for a field that does not exist, or for a cursor that is not one of this list
 */
export async function sparsePage<Stored extends Entity>(
  entity: TObject,
  query: PageQuery<Stored> & { readonly fields?: string },
  list: (query: ListQuery) => Promise<readonly Stored[]>,
): Promise<{ items: object[]; next?: string }> {
  const { fields } = query;
  const names = fields === undefined ? undefined : new Set(['id', ...fields.split(',')]);
  const unknown = [...(names ?? [])].find((name) => !Object.hasOwn(entity.properties, name));
  if (unknown !== undefined) {
    const detail = `"${unknown.slice(0, 60)}" is not a field`;
    const fault = { in: 'querystring', pointer: '/fields', rule: 'enum', detail };
    throw invalid([fault]);
  }
  // `fields` is not a filter.
  const found = await page<Stored>({ ...query, fields: undefined }, list);
  if (names === undefined) return found;
  const items = found.items.map((stored) => {
    const entry = Object.fromEntries(Object.entries(stored).filter(([name]) => names.has(name)));
    return shownOf(entry, stored);
  });
  return { ...found, items };
}
