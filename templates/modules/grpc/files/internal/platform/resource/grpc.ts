import {
  type DescField,
  type DescMessage,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
  create,
  fromJson,
  isFieldSet,
  toJson,
} from '@bufbuild/protobuf';
import { TimestampSchema, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { type Entity, assertValid, invalid, type ListQuery, snakeCase } from '../../../pkg/resource/index.ts';
import { malformed } from '../grpc/method.ts';
import { Id, maxLimit, page } from './http.ts';

/**
 * @param schema of the message
 * @param entity whose values have the form of JSON, and are valid
 * @param hidden fields that callers do not see
 * @returns the message; fields that it does not have are left out
 */
export function messageOf<Desc extends DescMessage>(
  schema: Desc,
  entity: object,
  hidden: readonly string[] = [],
): MessageShape<Desc> {
  const init: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const name = field.jsonName;
    const value: unknown =
      Object.hasOwn(entity, name) && !hidden.includes(name) ? Reflect.get(entity, name) : undefined;
    if (value !== undefined) init[field.localName] = inMessage(field, value);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return create(schema, init as MessageInitShape<Desc>);
}

/** A value that has the form of JSON, as a message has it. To read the whole entity by `fromJson` allocates five times as much. */
function inMessage(field: DescField, value: unknown): unknown {
  if (field.fieldKind === 'list' && Array.isArray(value)) return value.map((item) => itemInMessage(field, item));
  return itemInMessage(field, value);
}

function itemInMessage({ message, scalar }: DescField, value: unknown): unknown {
  if (scalar === ScalarType.INT64) return BigInt(String(value));
  if (message === undefined) return value;
  // As `toISOString` writes a time; only other forms have more than milliseconds.
  const isPlain = message === TimestampSchema && typeof value === 'string' && /^.{23}Z$/.test(value);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return isPlain ? timestampFromMs(Date.parse(value)) : fromJson(message, value as JsonValue);
}

/**
 * Reads fields of a message. An optional list cannot be empty: it is missing.
 * @param schema of the message
 * @param message from the caller; undefined counts as empty
 * @param fields to read, with their rules
 * @returns their values, which are valid
 * @throws {ServiceError} 400 that names the fields that break a rule
 */
export function fieldsOf<Desc extends DescMessage, Fields extends TObject>(
  schema: Desc,
  message: MessageShape<Desc> | undefined,
  fields: Fields,
): Static<Fields> {
  const values = valuesOf(schema, message ?? create(schema), fields);
  assertValid(fields, values);
  return values;
}

/**
 * Reads the changes of a message by its field mask (https://google.aip.dev/134).
 * @param schema of the message
 * @param message from the caller; undefined counts as empty
 * @param paths of the mask: names of fields in the contract. `*` means all that may change, and no path means those that have a value
 * @param fields of the whole entity, and those that may change; `*` does not remove those that are hidden: a caller never reads them
 * @returns a merge patch, which is valid: null for a field without a value
 * @throws {ServiceError} 400 that names the fields that break a rule or do not exist
 */
export function changesOf<Desc extends DescMessage, Changes extends TSchema>(
  schema: Desc,
  message: MessageShape<Desc> | undefined,
  paths: readonly string[] | undefined,
  {
    all,
    changes,
    hidden = [],
  }: { readonly all: TObject; readonly changes: Changes; readonly hidden?: readonly string[] },
): Static<Changes> {
  const given = message ?? create(schema);
  const values = valuesOf(schema, given, all);
  const changeable = Type.IsObject(changes) ? Object.keys(changes.properties) : [];
  const named = (paths ?? []).map((path) => schema.fields.find(({ name }) => name === path)?.localName ?? path);
  const isSet = (name: string): boolean =>
    schema.fields.some((each) => each.localName === name && isFieldSet(given, each));
  const implied = named.length === 0 ? changeable.filter(isSet) : named;
  const names = named.includes('*') ? changeable.filter((name) => !hidden.includes(name) || isSet(name)) : implied;
  const patch = Object.fromEntries(names.map((name) => [name, values[name] ?? null]));
  assertValid(changes, patch);
  return patch;
}

/**
 * @param request for one entity, or the entity itself; undefined has no id
 * @returns its id
 * @throws {ServiceError} 400 when it is no UUID
 */
export function idOf({ id }: { readonly id: string } = { id: '' }): string {
  assertValid(Id, { id });
  return id;
}

/**
 * @param seen the version that the caller has seen; 0 when it accepts any
 * @returns the versions that the caller accepts; undefined for any
 */
export function acceptedVersion(seen = 0n): readonly number[] | undefined {
  return seen === 0n ? undefined : [Number(seen)];
}

/** What all requests for a list have (https://google.aip.dev/158). */
interface ListRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly orderBy: string;
}

/**
 * @param request for a list
 * @param sortable fields that can order it
 * @param where values of fields to look for
 * @param list finds entities
 * @returns a page, and the token of the next page; empty on the last one
 * @throws {ServiceError} 400 for an order or a token that is not of this list
 */
export async function pageOf<Stored extends Entity>(
  { pageSize, pageToken, orderBy }: ListRequest,
  sortable: readonly string[],
  where: Partial<Stored>,
  list: (query: ListQuery) => Promise<readonly Stored[]>,
): Promise<{ items: readonly Stored[]; nextPageToken: string }> {
  if (pageSize < 0) throw invalid([{ pointer: '/page_size', rule: 'minimum', detail: 'must be >= 0' }]);
  const { items, next = '' } = await page(
    {
      ...where,
      ...(pageSize > 0 && { limit: Math.min(pageSize, maxLimit) }),
      ...(pageToken !== '' && { cursor: pageToken }),
      ...(orderBy.trim() !== '' && { sort: sortOf(orderBy, sortable) }),
    },
    list,
  );
  return { items, nextPageToken: next };
}

/** Returns the order of a list as REST has it. */
function sortOf(orderBy: string, sortable: readonly string[]): string {
  const [, path = '', direction] = /^\s*(\w+)(?:\s+(asc|desc))?\s*$/.exec(orderBy) ?? [];
  const by = sortable.find((name) => snakeCase(name) === path);
  if (by !== undefined) return direction === 'desc' ? `-${by}` : by;
  throw invalid([
    { pointer: '/order_by', rule: 'enum', detail: `must be a field of ${sortable.join(', ')}, or one and desc` },
  ]);
}

/** The values of a message have the form of JSON, as those of the domain do. */
function valuesOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  { properties }: TObject,
): Record<string, unknown> {
  const json = jsonOf(schema, message);
  const read = Object.entries(properties).map(([name, property]) => [name, valueOf(property, json.get(name))] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

function jsonOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): ReadonlyMap<string, JsonValue> {
  try {
    const json = toJson(schema, message, { alwaysEmitImplicit: true });
    return new Map(Object.entries(json ?? {}));
  } catch (error) {
    // Such as a time in the year 10000, or a google.protobuf.Value without a value.
    throw malformed(schema, error);
  }
}

/** In JSON of protobuf, an int64 is a text. */
function valueOf(property: TSchema, value: JsonValue | undefined): unknown {
  if (Type.IsInteger(property) && typeof value === 'string') {
    const number = Number(value);
    // The domain refuses a text.
    return Number.isSafeInteger(number) ? number : value;
  }
  if (!Type.IsArray(property) || !Array.isArray(value)) return value;
  if (value.length === 0 && Type.IsOptional(property)) return undefined;
  return value.map((item) => valueOf(property.items, item));
}
