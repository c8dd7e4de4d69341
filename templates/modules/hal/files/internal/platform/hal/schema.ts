import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { Declaration } from './linksOf.ts';

const json = 'application/json';
/** The media type of HAL (draft-kelly-json-hal-11, 3). */
export const hal = 'application/hal+json';

const HalLink = Type.Object(
  {
    href: Type.String({ description: 'Relative to the URL of the reply (RFC 3986)' }),
    templated: Type.Optional(Type.Boolean({ description: 'Whether href is a template (RFC 6570)' })),
  },
  { $id: 'HalLink', description: 'A link (draft-kelly-json-hal)', examples: [{ href: '../items' }] },
);

const HalLinks = Type.Object(
  {},
  { $id: 'HalLinks', description: 'Links by relation', additionalProperties: ref(HalLink) },
);

/** @param http the API's server, which gets the schemas of links */
export function addLinkSchemas(http: Http): void {
  http.addSchema(HalLink);
  http.addSchema(HalLinks);
}

/**
 * Adds the media type HAL to the replies of a route: for the serialiser, and in the contract.
 * @param http the API's server
 * @param route that is being registered
 * @param declaration of the links of its replies
 * @returns the statuses whose replies may be HAL
 * @throws {TypeError} when no successful reply of the route has a named schema
 */
export function offerHal(http: Http, route: RouteOptions, declaration: Declaration): ReadonlySet<number> {
  const statuses = new Set<number>();
  const responses = Object.entries(membersOf(route.schema?.response)).map(([status, response]) => {
    const name = nameIn(response);
    if (!/^2\d\d$/.test(status) || name === undefined) return [status, response] as const;
    statuses.add(Number(status));
    const { description = name } = membersOf(http.getSchema(name));
    const content = { [json]: { schema: response }, [hal]: { schema: withLinks(http, name, declaration) } };
    return [status, { description, content }] as const;
  });
  if (statuses.size === 0)
    throw new TypeError(`${String(route.method)} ${route.url} has links, but no reply whose schema has a name`);
  route.schema = { ...route.schema, response: Object.fromEntries(responses) };
  return statuses;
}

/** Adds the schema of a reply with links. In a collection, embedded resources replace the list, and links replace the cursors. */
function withLinks(http: Http, name: string, declaration: Declaration): { readonly $ref: string } {
  const $id = `${name}Resource`;
  if (http.getSchema($id) === undefined) {
    const { $id: _, examples: __, description, properties, required, ...rest } = membersOf(http.getSchema(name));
    const { _embedded, ...members } = embedded(http, membersOf(properties), declaration);
    const kept = (Array.isArray(required) ? required.map(String) : []).filter((each) => Object.hasOwn(members, each));
    http.addSchema({
      ...rest,
      $id,
      description: `${typeof description === 'string' ? description : name}: in HAL`,
      required: [...kept, ...(_embedded === undefined ? [] : ['_embedded']), '_links'],
      properties: { ...members, ...(_embedded !== undefined && { _embedded }), _links: ref(HalLinks) },
    });
  }
  return { $ref: `${$id}#` };
}

type Members = Readonly<Record<string, unknown>>;

function embedded(http: Http, properties: Members, declaration: Declaration): Members {
  if (declaration.kind === 'resource') return properties;
  const { [declaration.member]: list, next: _, prev: __, ...others } = properties;
  const name = nameIn(membersOf(list)['items']);
  if (name === undefined) throw new TypeError(`"${declaration.member}" is no list of a schema that has a name`);
  const item = Type.Array(Type.Unsafe(withLinks(http, name, declaration.of)));
  return { ...others, _embedded: Type.Object({ item }) };
}

/** The name of the schema that a reference leads to. */
function nameIn(schema: unknown): string | undefined {
  const { $ref } = membersOf(schema);
  return typeof $ref === 'string' ? $ref.replace(/#$/, '') : undefined;
}

/**
 * @param value anything
 * @returns its members; none when it is no object
 */
export function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
