import type { FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { ref } from '../http/openapi.ts';
import type { ApiVersions } from './apiVersions.ts';

/** What a body may be: its schema by version. */
export type Choices = ReadonlyMap<number, object>;

/** How the contract says of one body what it is in each version. */
export type Join = (choices: Choices, name: string) => object;

/** One schema for any of them, where nothing but the body tells which. */
export type Choose = (choices: Choices, name: string) => object;

const json = 'application/json';

/**
 * Joins what versions say of a route that is one operation of the contract.
 * @param schemas of the route, by version
 * @param join how a body is told that each version has its own way
 * @param choose the same in a media type that no version has for itself: HAL, say, which another module has added
 * @returns body and replies of the operation
 */
export function joinSchemas(schemas: ReadonlyMap<number, FastifySchema>, join: Join, choose: Choose): FastifySchema {
  const name = upperFirst([...schemas.values()].find(({ operationId }) => operationId)?.operationId ?? '');
  const bodies = choicesIn([...schemas].map(([number, { body }]) => [number, body]));
  const replies = [...schemas].map(([number, { response }]) => [number, membersOf(response)] as const);
  const statuses = new Set(replies.flatMap(([, members]) => Object.keys(members)));
  const response: Record<string, unknown> = {};
  for (const status of statuses) {
    const declared = replies.map(([number, members]) => [number, members[status]] as const);
    const choices = choicesIn(declared);
    const joined = `${name}${status}Reply`;
    response[status] =
      choices.size === 0
        ? declared.map(([, member]) => member).find((member) => member !== undefined)
        : withOthers({ description: 'As the version has it', ...join(choices, joined) }, declared, (type, found) =>
            choose(found, joined + pascalCase(type)),
          );
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
 * Any of them, as one media type cannot tell which.
 * @param choose makes one schema of them
 * @returns joins bodies
 */
export function byChoice(choose: Choose): Join {
  return (choices, name) => ({ content: { [json]: { schema: choose(choices, name) } } });
}

/**
 * Any of them under a name, unless they are all the same.
 * @param addSchema makes the name known
 * @returns makes one schema of several
 */
export function anyOf(addSchema: (schema: TSchema) => void): Choose {
  return (choices, name) => {
    const [first, ...others] = choices.values();
    const isSame = others.length > 0 && others.every((other) => JSON.stringify(other) === JSON.stringify(first));
    if (first !== undefined && isSame) return first;
    const schema = Type.Unsafe<unknown>({
      $id: name,
      description: 'As the version has it',
      anyOf: [...choices.values()],
    });
    addSchema(schema);
    return ref(schema);
  };
}

/** What a version declares of one body. */
type Declared = readonly (readonly [number, unknown])[];

/** Beside JSON, the media types that only modules and routes know. */
function withOthers(joined: object, declared: Declared, choose: (type: string, choices: Choices) => object): object {
  const types = new Set(declared.flatMap(([, said]) => Object.keys(membersOf(membersOf(said)['content']))));
  types.delete(json);
  const others = [...types].map((type) => [type, { schema: choose(type, choicesIn(declared, type)) }] as const);
  const content = { ...membersOf(membersOf(joined)['content']), ...Object.fromEntries(others) };
  return { ...joined, content };
}

/** Of what was declared: the schemas of a media type, with what has none left out. */
function choicesIn(declared: Declared, mediaType = json): Choices {
  return new Map(
    declared.flatMap(([number, said]): [number, object][] => {
      const { content, type } = membersOf(said);
      const plain = mediaType === json ? said : undefined;
      const schema = content === undefined ? plain : membersOf(membersOf(content)[mediaType])['schema'];
      return typeof schema === 'object' && schema !== null && type !== 'null' ? [[number, schema]] : [];
    }),
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** `HalJson` of `application/hal+json`. */
function pascalCase(type: string): string {
  return type.replace(/^.*\//, '').split(/\W+/).map(upperFirst).join('');
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
