import { Type } from 'typebox';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { Collection, Declaration } from './declaration.ts';
import { relationsOf } from './representation.ts';

/** A link as it stands in a reply. */
export const LinkView = Type.Object(
  {
    href: Type.String({ description: 'Relative to the URL of the reply (RFC 3986)' }),
    templated: Type.Optional(Type.Boolean({ description: 'Whether href is a template (RFC 6570)' })),
    name: Type.Optional(Type.String({ description: 'Of a curie: what stands before the colon of a relation' })),
  },
  { $id: 'HalLink', description: 'A link (draft-kelly-json-hal)', examples: [{ href: '../items' }] },
);

/** A JSON Schema of an object, as far as it matters here. */
interface ObjectSchema {
  readonly description?: string;
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The schemas of an API's representations in HAL. */
export class HalSchemas {
  readonly #http: Http;
  /** Whose links each has, by its name. */
  readonly #declarations = new Map<string, Declaration>();

  /** @param http the API's server */
  constructor(http: Http) {
    this.#http = http;
  }

  /**
   * Has the server know the schema of a representation.
   * @param name of the schema of the same without links
   * @param declaration of what it describes
   * @returns a reference to it
   * @throws {TypeError} when the schema is no object's, or has no list of what a collection is of
   */
  of(name: string, declaration: Declaration): { readonly $ref: string } {
    const $id = this.#idOf(name, declaration);
    if (!this.#declarations.has($id)) {
      this.#declarations.set($id, declaration);
      // The service has described it by itself.
      if (this.#http.getSchema($id) !== undefined) return { $ref: `${$id}#` };
      const { $id: _, examples: __, ...schema } = objectSchema(this.#http.getSchema(name), name);
      const { required, properties } = declaration.kind === 'resource' ? schema : this.#embedding(schema, declaration);
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

  /** Of resources that look alike, each but the first is told apart by its first operation, and a number where that does not do. */
  #idOf(name: string, declaration: Declaration): string {
    const [first = ''] = declaration.operations;
    const own = `${name}Of${first.charAt(0).toUpperCase()}${first.slice(1)}Resource`;
    for (let count = 0; ; count += 1) {
      const $id = [`${name}Resource`, own][count] ?? `${own}${count}`;
      if ((this.#declarations.get($id) ?? declaration) === declaration) return $id;
    }
  }

  /** What is a list of items in JSON holds them as resources, and says by links where other pages are. */
  #embedding(schema: ObjectSchema, { member, of }: Collection): ObjectSchema {
    const { [member]: list, next: _, prev: __, ...properties } = schema.properties;
    const name = isObject(list) && isObject(list['items']) ? nameIn(list['items']) : undefined;
    if (name === undefined) throw new TypeError(`"${member}" is no list of a schema that has a name`);
    const item = Type.Array(Type.Unsafe(this.of(name, of)));
    return {
      required: [...schema.required.filter((each) => Object.hasOwn(properties, each)), '_embedded'],
      properties: { ...properties, _embedded: Type.Object({ item }) },
    };
  }
}

/**
 * A link is there when state and caller permit it, and a value of its own leads somewhere: of a list only `self` always is. To pages
 * before and behind it none ever leads whose cursor the body without links does not have.
 */
function linksSchema(declaration: Declaration, { properties: body }: ObjectSchema): object {
  const isCollection = declaration.kind === 'collection';
  const isNever = (relation: string): boolean =>
    isCollection && (relation === 'prev' || relation === 'next') && !Object.hasOwn(body, relation);
  const properties = relationsOf(declaration).flatMap((relation) => {
    if (isNever(relation)) return [];
    const schema = relation === 'curies' ? Type.Array(ref(LinkView)) : ref(LinkView);
    return [[relation, isCollection && relation === 'self' ? schema : Type.Optional(schema)] as const];
  });
  return Type.Object(Object.fromEntries(properties));
}

/**
 * @param schema anything
 * @returns the name of the schema to which it refers
 */
export function nameIn(schema: unknown): string | undefined {
  if (!isObject(schema) || typeof schema['$ref'] !== 'string') return undefined;
  return schema['$ref'].replace(/#$/, '');
}

function objectSchema(schema: unknown, name: string): ObjectSchema & Readonly<Record<string, unknown>> {
  if (!isObject(schema) || !isObject(schema['properties']))
    throw new TypeError(`schema ${name} is not that of an object`);
  const { description, required, properties } = schema;
  return {
    ...schema,
    ...(typeof description === 'string' && { description }),
    required: Array.isArray(required) ? required.map(String) : [],
    properties,
  };
}

/**
 * @param value anything
 * @returns whether it is an object
 */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
