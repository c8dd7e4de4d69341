import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { Declaration } from './linksOf.ts';
import { membersOf, relationsOf } from './representation.ts';

const json = 'application/json';
/** The media type of HAL (draft-kelly-json-hal-11, 3). */
export const hal = 'application/hal+json';

/** A link in a reply. */
export const LinkView = Type.Object(
  {
    href: Type.String({ description: 'Relative to the URL of the reply (RFC 3986)' }),
    templated: Type.Optional(Type.Boolean({ description: 'Whether href is a template (RFC 6570)' })),
    name: Type.Optional(Type.String({ description: 'Of a curie: what stands before the colon of a relation' })),
  },
  { $id: 'HalLink', description: 'A link (draft-kelly-json-hal)', examples: [{ href: '../items' }] },
);

/** A JSON Schema of an object. */
interface ObjectSchema {
  readonly description?: string;
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The schemas of the API's representations in HAL. */
export class HalSchemas {
  readonly #http: Http;
  readonly #declarations = new Map<string, Declaration>();

  /** @param http the API's server */
  constructor(http: Http) {
    this.#http = http;
  }

  /**
   * Adds the media type HAL to the replies of a route: for the serialiser, and in the contract.
   * @param route that is being registered
   * @param declaration of the links of its replies
   * @returns the statuses whose replies may be HAL
   * @throws {TypeError} when no successful reply of the route has a named schema
   */
  offer(route: RouteOptions, declaration: Declaration): ReadonlySet<number> {
    const statuses = new Set<number>();
    const responses = Object.entries(membersOf(route.schema?.response)).map(([status, response]) => {
      const content = membersOf(membersOf(response)['content']);
      const plain = membersOf(content[json])['schema'] ?? response;
      const name = nameIn(plain);
      if (!/^2\d\d$/.test(status) || name === undefined) return [status, response] as const;
      statuses.add(Number(status));
      const { description } = membersOf(this.#http.getSchema(name));
      const described =
        'content' in membersOf(response) ? membersOf(response) : description !== undefined && { description };
      const both = { ...content, [json]: { schema: plain }, [hal]: { schema: this.of(name, declaration) } };
      return [status, { ...described, content: both }] as const;
    });
    if (statuses.size === 0)
      throw new TypeError(`${String(route.method)} ${route.url} has links, but no reply whose schema has a name`);
    route.schema = { ...route.schema, response: Object.fromEntries(responses) };
    return statuses;
  }

  /**
   * Adds the schema of a representation to the server.
   * @param name of the schema without links
   * @param declaration of its links
   * @returns a reference to the schema with links
   * @throws {TypeError} when the schema is not of an object, or has no list of the declared resource
   */
  of(name: string, declaration: Declaration): { readonly $ref: string } {
    const $id = this.#idOf(name, declaration);
    const isNew = !this.#declarations.has($id);
    this.#declarations.set($id, declaration);
    // The service may have described it itself.
    if (isNew && this.#http.getSchema($id) === undefined) {
      const { $id: _, examples: __, ...schema } = objectSchema(this.#http.getSchema(name), name);
      const { required, properties } = this.#embed(schema, declaration);
      this.#http.addSchema({
        ...schema,
        $id,
        description: `${schema.description ?? name}: in HAL`,
        required: [...required, '_links'],
        properties: { ...properties, _links: linksSchema(declaration, schema) },
      });
    }
    return { $ref: `${$id}#` };
  }

  /** When several resources have the same schema, all but the first have their first operation, or a number, in the name. */
  #idOf(name: string, declaration: Declaration): string {
    const [first = ''] = declaration.operations;
    const longer = `${name}Of${first.charAt(0).toUpperCase()}${first.slice(1)}Resource`;
    for (let count = 0; ; count += 1) {
      const $id = [`${name}Resource`, longer][count] ?? `${longer}${count}`;
      if ((this.#declarations.get($id) ?? declaration) === declaration) return $id;
    }
  }

  /** In a collection, embedded resources replace the list, and links replace the cursors. */
  #embed(schema: ObjectSchema, declaration: Declaration): Pick<ObjectSchema, 'required' | 'properties'> {
    if (declaration.kind === 'resource') return schema;
    const { [declaration.member]: list, next: _, prev: __, ...properties } = schema.properties;
    const name = nameIn(membersOf(list)['items']);
    if (name === undefined) throw new TypeError(`"${declaration.member}" is no list of a schema that has a name`);
    const item = Type.Array(Type.Unsafe(this.of(name, declaration.of)));
    return {
      required: [...schema.required.filter((each) => Object.hasOwn(properties, each)), '_embedded'],
      properties: { ...properties, _embedded: Type.Object({ item }) },
    };
  }
}

/** Only `self` of a collection is always there. A list without `next` or `prev` in its body has no such links. */
function linksSchema(declaration: Declaration, { properties: body }: ObjectSchema): object {
  const isCollection = declaration.kind === 'collection';
  const properties = relationsOf(declaration)
    .filter((each) => !isCollection || !['prev', 'next'].includes(each) || Object.hasOwn(body, each))
    .map((relation) => {
      const schema = relation === 'curies' ? Type.Array(ref(LinkView)) : ref(LinkView);
      return [relation, isCollection && relation === 'self' ? schema : Type.Optional(schema)] as const;
    });
  return Type.Object(Object.fromEntries(properties));
}

/** The name of the schema that a reference leads to. */
function nameIn(schema: unknown): string | undefined {
  const { $ref } = membersOf(schema);
  return typeof $ref === 'string' ? $ref.replace(/#$/, '') : undefined;
}

function objectSchema(schema: unknown, name: string): ObjectSchema & Readonly<Record<string, unknown>> {
  const { description, properties, required, ...rest } = membersOf(schema);
  if (properties === undefined) throw new TypeError(`schema ${name} is not that of an object`);
  return {
    ...rest,
    ...(typeof description === 'string' && { description }),
    required: Array.isArray(required) ? required.map(String) : [],
    properties: membersOf(properties),
  };
}
