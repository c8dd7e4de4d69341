import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';

type Made = Parameters<SwaggerTransform>[0];
type Document = Extract<Made, { openapiObject: unknown }>['openapiObject'];

/** Which versions use a named schema: one that is used by those alone that end, ends with them. */
export class SchemaUse {
  /** Undefined stands for whatever has no version, and does not end. */
  readonly #versions = new Map<string, Set<number | undefined>>();

  /**
   * @param schema of a route
   * @param version of the route; undefined when it has none
   */
  note(schema: FastifySchema | undefined, version: number | undefined): void {
    const { body, response } = schema ?? {};
    for (const name of [body, ...membersOf(response)].flatMap(namesIn)) {
      const known = this.#versions.get(name) ?? new Set();
      this.#versions.set(name, known.add(version));
    }
  }

  /**
   * @param document to which the schemas are given; the same each time
   * @param endingOf what is said of a schema that these versions use
   */
  mark(document: Document, endingOf: (versions: readonly number[]) => object): void {
    const { schemas } = document.components ?? {};
    for (const [name, versions] of this.#versions) {
      const schema = schemas?.[name];
      const numbers = [...versions].filter((version) => version !== undefined);
      if (schema !== undefined && numbers.length === versions.size) Object.assign(schema, endingOf(numbers));
    }
  }
}

/** Of a body: `{ $ref }`, or by media type. */
function namesIn(said: unknown): string[] {
  if (typeof said !== 'object' || said === null) return [];
  if ('$ref' in said) return typeof said.$ref === 'string' ? [said.$ref.replace(/#.*$/, '')] : [];
  if ('content' in said) return membersOf(said.content).flatMap(namesIn);
  return 'schema' in said ? namesIn(said.schema) : [];
}

function membersOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}
