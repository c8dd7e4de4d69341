import type { FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { ref } from '../http/openapi.ts';
import type { ApiVersions } from './apiVersions.ts';

/** What a body may be: its schema by version. */
export type Choices = ReadonlyMap<number, object>;

/** How the contract says of one body what it is in each version. */
export type Join = (choices: Choices, name: string) => object;

const json = 'application/json';

/**
 * Joins what versions say of a route that is one operation of the contract.
 * @param schemas of the route, by version
 * @param join how a body is told that each version has its own way
 * @returns body and replies of the operation
 */
export function joinSchemas(schemas: ReadonlyMap<number, FastifySchema>, join: Join): FastifySchema {
  const name = upperFirst([...schemas.values()].find(({ operationId }) => operationId)?.operationId ?? '');
  const bodies = jsonIn([...schemas].map(([number, { body }]) => [number, body]));
  const replies = [...schemas].map(([number, { response }]) => [number, membersOf(response)] as const);
  const statuses = new Set(replies.flatMap(([, members]) => Object.keys(members)));
  const response: Record<string, unknown> = {};
  for (const status of statuses) {
    const choices = jsonIn(replies.map(([number, members]) => [number, members[status]]));
    response[status] =
      choices.size === 0
        ? replies.map(([, members]) => members[status]).find((member) => member !== undefined)
        : { description: 'As the version has it', ...join(choices, `${name}${status}Reply`) };
  }
  return { ...(bodies.size > 0 && { body: join(bodies, `${name}Body`) }), response };
}

/**
 * Each version by its media type, and the default as plain JSON too.
 * @param versions of the API
 * @param mediaType of a version
 * @returns joins bodies
 */
export function byMediaType(versions: ApiVersions, mediaType: (version: number) => string): Join {
  return (choices) => {
    const plain = choices.get(versions.default);
    const named = [...choices].map(([number, schema]): [string, object] => [mediaType(number), schema]);
    const all = plain === undefined ? named : [[json, plain] as const, ...named];
    return { content: Object.fromEntries(all.map(([type, schema]) => [type, { schema }])) };
  };
}

/**
 * Any of them, as one media type cannot tell which: under a name, unless they are all the same.
 * @param addSchema makes the name known
 * @returns joins bodies
 */
export function byChoice(addSchema: (schema: TSchema) => void): Join {
  return (choices, name) => {
    const [first, ...others] = choices.values();
    const isSame = others.length > 0 && others.every((other) => JSON.stringify(other) === JSON.stringify(first));
    if (isSame) return { content: { [json]: { schema: first } } };
    const schema = Type.Unsafe<unknown>({
      $id: name,
      description: 'As the version has it',
      anyOf: [...choices.values()],
    });
    addSchema(schema);
    return { content: { [json]: { schema: ref(schema) } } };
  };
}

/** Of what was declared: the schemas of JSON, with what has none left out. */
function jsonIn(declared: readonly (readonly [number, unknown])[]): Choices {
  return new Map(
    declared.flatMap(([number, said]): [number, object][] => {
      const { content, type } = membersOf(said);
      const schema = content === undefined ? said : membersOf(membersOf(content)[json])['schema'];
      return typeof schema === 'object' && schema !== null && type !== 'null' ? [[number, schema]] : [];
    }),
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
