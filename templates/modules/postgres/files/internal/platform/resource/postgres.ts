import { type ColumnType, type SelectQueryBuilder, sql } from 'kysely';
import { decimal, inUse, type ListQuery, missingReference, snakeCase, taken } from '../../../pkg/resource/index.ts';
import { sqlState, violatedConstraint } from '../postgres/errors.ts';

/** Columns with JSON. Queries write them with `json`. */
export type Json = ColumnType<unknown, string | null, string | null>;
export type JsonList = ColumnType<unknown[], string | null, string | null>;

/**
 * @param value of JSON; undefined for none
 * @returns it as text: the client would take a list for an array of SQL
 */
export function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** @returns what `decimal` returns for each */
export function decimals(texts: readonly string[]): string[] {
  return texts.map((text) => decimal(text));
}

/** The constraints of a table: name → the field that it checks. */
export interface Constraints {
  readonly unique: Readonly<Record<string, string>>;
  readonly references: Readonly<Record<string, string>>;
}

/**
 * Runs a statement that writes a row.
 * @param constraints of the table
 * @param write runs the statement
 * @returns what `write` returns
 * @throws {ServiceError} that names the field: 409 when a unique value is taken, 422 when it refers to something that does not exist
 */
export async function written<Result>(constraints: Constraints, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const name = violatedConstraint(error) ?? '';
    const { [name]: unique } = constraints.unique;
    if (unique !== undefined) throw taken(unique);
    const { [name]: reference } = constraints.references;
    if (reference !== undefined) throw missingReference(reference);
    throw error;
  }
}

/**
 * Runs a statement that removes a row.
 * @param remove runs the statement
 * @returns what `remove` returns
 * @throws {ServiceError} 409 when another row refers to it
 */
export async function removed<Result>(remove: () => Promise<Result>): Promise<Result> {
  try {
    return await remove();
  } catch (error) {
    // foreign_key_violation
    throw sqlState(error) === '23503' ? inUse() : error;
  }
}

/**
 * Narrows a query to one page of a list. Keyset paging: a page begins after a position, so that it is as fast as the first one and shows
 * no row twice when rows are added.
 * @param query selects from one table
 * @param page which rows, and their order
 * @returns the query of the page
 */
export function paged<Tables, Name extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Name, Row>,
  { limit, by, descending, after, where }: ListQuery,
): SelectQueryBuilder<Tables, Name, Row> {
  const [column, id] = [columnOf(by), sql.ref('id')];
  let found = query;
  for (const [field, value] of Object.entries(where))
    if (value !== undefined) found = found.where(sql<boolean>`${columnOf(field)} = ${value}`);
  if (after !== undefined) {
    const comparison = sql.raw(descending ? '<' : '>');
    found = found.where(sql<boolean>`(${column}, ${id}) ${comparison} (${after.value}, ${after.id})`);
  }
  const direction = descending ? 'desc' : 'asc';
  return found.orderBy(column, direction).orderBy(id, direction).limit(limit);
}

/**
 * @param query selects from one table
 * @param field of its entities
 * @returns the number of rows for each value of the field
 */
export async function counted<Tables, Name extends keyof Tables, Row>(
  query: SelectQueryBuilder<Tables, Name, Row>,
  field: string,
): Promise<Map<string, number>> {
  const column = columnOf(field);
  const counts = query.select([sql<string>`${column}::text`.as('value'), sql<string>`count(*)::text`.as('count')]);
  const rows = await counts.groupBy(column).$castTo<{ value: string; count: string }>().execute();
  return new Map(rows.map(({ value, count }) => [value, Number(count)]));
}

/** `placedAt` is stored in the column `placed_at`. */
function columnOf(field: string) {
  return sql.ref(snakeCase(field));
}
