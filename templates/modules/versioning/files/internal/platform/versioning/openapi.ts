import type { FastifySchema, RouteOptions } from 'fastify';
import { describeRoute } from '../openapi/describe.ts';
import type { ApiVersions } from './apiVersions.ts';
import type { Strategy } from './strategies.ts';

const json = 'application/json';

/** The version of a route. */
export interface RouteVersion {
  readonly number: number;
  /** Schemas of all versions of the route; complete when the contract is printed. */
  readonly schemas: Map<number, FastifySchema>;
}

/**
 * Marks deprecated versions of routes, and their schemas, in the contract. `x-sunset` is the extension of oasdiff for the day from which
 * they may be gone. Versions that share a URL are one operation, which the last of them describes.
 * @param versions of the API
 * @param strategy how callers name one
 * @returns a hook for `onRoute`
 */
export function describeVersions(versions: ApiVersions, { typesOf }: Strategy) {
  /** The versions that use a named schema; undefined stands for a route without versions, which does not end. */
  const users = new Map<string, Set<number | undefined>>();
  const endingOf = (numbers: readonly (number | undefined)[]): object => {
    const facts = numbers.map((number) => versions.all.find((version) => version.number === number));
    const isLasting = facts.some((version) => version?.deprecated === undefined);
    const sunset = facts.map((version) => version?.sunset).reduce((a, b) => a && b && (a > b ? a : b));
    return isLasting ? {} : { deprecated: true, ...(sunset !== undefined && { 'x-sunset': sunset }) };
  };

  return (route: RouteOptions, version: RouteVersion | undefined): void => {
    for (const [, name = ''] of JSON.stringify(route.schema ?? {}).matchAll(/"\$ref":"([^"#]+)/g))
      users.set(name, (users.get(name) ?? new Set()).add(version?.number));
    if (version === undefined) return;
    const { number, schemas } = version;
    describeRoute(route, (schema, document) => {
      for (const [name, component] of Object.entries(document.components?.schemas ?? {})) {
        const numbers = users.get(name);
        if (numbers !== undefined) Object.assign(component, endingOf([...numbers]));
      }
      if (typesOf === undefined) return { ...schema, ...endingOf([number]) };
      schemas.set(number, schema);
      if ([...schemas.keys()].at(-1) !== number) return { ...schema, hide: true };
      return { ...schema, ...endingOf([...schemas.keys()]), ...joinedSchema(schemas, typesOf) };
    });
  };
}

/** Body and replies of an operation of several versions. */
function joinedSchema(
  schemas: ReadonlyMap<number, FastifySchema>,
  typesOf: (version: number) => readonly string[],
): FastifySchema {
  const all = [...schemas.values()];
  const join = (part: (said: FastifySchema) => unknown): unknown =>
    joined([...schemas].map(([number, said]) => ({ media: mediaOf(part(said)), types: typesOf(number) }))) ??
    all.map(part).find((said) => said !== undefined);
  const statuses = all.flatMap(({ response }) => Object.keys(membersOf(response)));
  const response = statuses.map((status) => [status, join((said) => membersOf(said.response)[status])]);
  const body = join((said) => said.body);
  return { ...(body !== undefined && { body }), response: Object.fromEntries(response) };
}

/**
 * @param schema of a route
 * @param name of a parameter of the query
 * @returns the schema with the parameter; a query whose schema is a reference does not change
 */
export function withParameter(schema: FastifySchema, name: string): FastifySchema {
  const { $ref, properties, ...rest } = membersOf(schema.querystring);
  if ($ref !== undefined) return schema;
  const parameter = { type: 'string', description: 'Version of the API' };
  const all = { ...membersOf(properties), [name]: parameter };
  return { ...schema, querystring: { type: 'object', ...rest, properties: all } };
}

/** A body in one version: schemas by media type, and the media types of the version. */
interface VersionedBody {
  readonly media: readonly (readonly [type: string, schema: object])[];
  readonly types: readonly string[];
}

/** The body in all versions; undefined when none has JSON: problem details are the same in all versions. */
function joined(versions: readonly VersionedBody[]): object | undefined {
  const content = new Map<string, { own: boolean; schemas: object[] }>();
  for (const { media, types } of versions) {
    for (const [type, schema] of media) {
      for (const name of type === json ? types : [type]) {
        // By query, and in shared types such as HAL, the media type does not determine the schema.
        const own = types[0] !== json && types.includes(name);
        const { schemas } = content.get(name) ?? { schemas: [] };
        content.set(name, { own, schemas: [...schemas, schema] });
      }
    }
  }
  if (!versions.some(({ media }) => media.some(([type]) => type === json))) return undefined;
  const media: Record<string, object> = {};
  for (const [type, { own, schemas }] of content) media[type] = { schema: own ? schemas[0] : { anyOf: schemas } };
  return { description: 'As the version has it', content: media };
}

function mediaOf(said: unknown): (readonly [string, object])[] {
  const { content, type } = membersOf(said);
  if (content !== undefined) {
    return Object.entries(membersOf(content)).map(([name, media]) => [name, membersOf(membersOf(media)['schema'])]);
  }
  return said === undefined || type === 'null' ? [] : [[json, membersOf(said)]];
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
