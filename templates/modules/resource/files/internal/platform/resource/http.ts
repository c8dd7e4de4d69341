import type { FastifyReply } from 'fastify';
import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Entity, ListQuery, Position } from '../../../pkg/resource/index.ts';
import { matches } from '../../../pkg/validation/index.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The name of the resource that the route belongs to. */
    resource?: string;
  }
}

/** For the `params` of a route of one entity. */
export const Id = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** For the `headers` of a route that changes an entity. */
export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The ETag that the caller saw: changed since, the reply is 412. `*` accepts any' }),
  ),
});

/**
 * @param reply gets the ETag of the entity (RFC 9110, 8.8.3)
 * @param entity to send
 * @returns the entity
 */
export function tagged<Sent extends Entity>(reply: FastifyReply, entity: Sent): Sent {
  reply.header('etag', `"${entity.version}"`);
  return entity;
}

/**
 * Reads If-Match (RFC 9110, 13.1.1), so that no change of another caller is lost.
 * @param headers of the request
 * @returns the versions that the caller accepts; undefined for any
 */
export function acceptedVersions(headers: { readonly 'if-match'?: string }): readonly number[] | undefined {
  const { 'if-match': given = '*' } = headers;
  if (given.trim() === '*') return undefined;
  return given.split(',').flatMap((tag) => Number(/^\s*"(\d{1,15})"\s*$/.exec(tag)?.[1] ?? []));
}

/**
 * As `acceptedVersions`, for a change that a caller may not make without knowing what it changes.
 * @param headers of the request
 * @returns the versions that the caller accepts; undefined for any
 * @throws {ServiceError} 428 without If-Match (RFC 6585, 3)
 */
export function requiredVersions(headers: { readonly 'if-match'?: string }): readonly number[] | undefined {
  if (headers['if-match'] !== undefined) return acceptedVersions(headers);
  throw new ServiceError({
    code: 'precondition_required',
    status: 428,
    publicMessage: 'Send If-Match with the ETag of what you have seen, or with *.',
  });
}

/** A cursor is opaque to clients. It holds how the list is sorted, and the last entity's value and id. */
const Cursor = Type.Tuple([Type.String(), Type.Union([Type.String(), Type.Number()]), Type.String({ format: 'uuid' })]);

/** Max number of entities of a page. */
export const maxLimit = 100;
const defaultLimit = 20;
const defaultSort = '-createdAt';

/**
 * For the `querystring` of a list.
 * @param sortable fields that can order it
 * @returns the schemas of limit, cursor and sort
 */
export function paging(sortable: readonly string[]) {
  return {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxLimit, default: defaultLimit })),
    cursor: Type.Optional(Type.String({ description: '`next` of the previous page' })),
    sort: Type.Optional(
      Type.Unsafe<string>({
        type: 'string',
        enum: sortable.flatMap((field) => [field, `-${field}`]),
        default: defaultSort,
        description: 'The field that orders the list; `-` reverses the order',
      }),
    ),
  };
}

/**
 * For the `querystring` of a list. A default of the field would be a filter that the caller did not ask for.
 * @param field schema of the field that is compared
 * @returns the schema of the filter
 */
export function filter<Schema extends TSchema>(field: Schema) {
  const { default: _, ...value }: TSchema & { default?: unknown } = field;
  return Type.Optional(Type.Unsafe<Static<Schema>>(value));
}

/**
 * For the `querystring` of a list. `page` looks for each name that it gets, also that of a private field.
 * @param given paging and filters
 * @returns a schema that refuses other names
 */
export const queryOf = <Of extends TProperties>(given: Of) => Type.Object(given, { additionalProperties: false });

/** The query of a list: paging, and values of fields to look for. */
export type PageQuery<Stored> = Partial<Stored> & {
  readonly limit?: number;
  readonly cursor?: string;
  readonly sort?: string;
};

/**
 * @param query of the request
 * @param list finds entities
 * @returns a page, and the cursor of the next page if there is one
 * @throws {ServiceError} 400 for a cursor that is not one of this list
 */
export async function page<Stored extends Entity>(
  { limit = defaultLimit, cursor, sort = defaultSort, ...where }: PageQuery<Stored>,
  list: (query: ListQuery) => Promise<readonly Stored[]>,
): Promise<{ items: Stored[]; next?: string }> {
  const descending = sort.startsWith('-');
  const by = descending ? sort.slice(1) : sort;
  const after = cursor === undefined ? undefined : positionOf(cursor, sort);
  // One more than requested shows whether there is a next page.
  const found = await list({ limit: limit + 1, by, descending, where, ...(after && { after }) });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (last === undefined || found.length <= limit) return { items };
  const position = JSON.stringify([sort, Reflect.get(last, by), last.id]);
  return { items, next: Buffer.from(position).toString('base64url') };
}

function positionOf(cursor: string, sort: string): Position {
  const position = parsed(Buffer.from(cursor, 'base64url').toString());
  if (matches(Cursor, position) && position[0] === sort) return { value: position[1], id: position[2] };
  throw new ServiceError({
    code: 'invalid_cursor',
    status: 400,
    publicMessage: 'The cursor is not one of a list that is sorted in this way.',
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
