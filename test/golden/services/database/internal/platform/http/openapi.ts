import type { FastifySchema, RouteOptions } from 'fastify';
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import { Problem, problemType } from './problems.ts';

declare module 'fastify' {
  // What a route says for its contract.
  interface FastifySchema {
    /** In no contract. */
    hide?: boolean;
    operationId?: string;
    summary?: string;
    description?: string;
    tags?: readonly string[];
    deprecated?: boolean;
    security?: ReadonlyArray<{ [securityLabel: string]: readonly string[] }>;
  }
  interface FastifyContextConfig {
    /** What modules say of the route besides; see `describeRoute`. */
    descriptions?: readonly Describe[];
  }
}

/** The parts of an OpenAPI document that hold for all routes. */
export interface ApiDocument {
  security?: Record<string, string[]>[];
  components?: { schemas?: Record<string, object>; securitySchemes?: Record<string, object> };
}

/** Gives the schema of a route as a contract is to have it; may add to the document what holds for all routes. */
export type Describe = (schema: FastifySchema, document: ApiDocument) => FastifySchema;

/**
 * Names a schema instead of repeating it.
 * @param schema one with an `$id` that was given to `addSchema`
 * @returns a reference of the same type
 */
export function ref<Schema extends TSchema & { readonly $id?: string }>(schema: Schema): TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` });
}

/** For the `response` of every route: any other reply is a problem. */
export const problems = {
  default: { description: 'Problem', content: { [problemType]: { schema: ref(Problem) } } },
};

/**
 * For modules, in `onRoute`: has a contract say more of a route than the route itself does. Several may, each of what those before
 * have said.
 * @param route as it is registered
 * @param describe gives the schema as the contract is to have it
 */
export function describeRoute(route: RouteOptions, describe: Describe): void {
  const descriptions = [...(route.config?.descriptions ?? []), describe];
  route.config = { ...route.config, descriptions };
}

/**
 * @param route as it was registered
 * @param document to which what holds for all routes is added
 * @returns the schema of the route as a contract is to have it
 */
export function describedSchema(
  { schema = {}, config }: Pick<RouteOptions, 'schema' | 'config'>,
  document: ApiDocument,
): FastifySchema {
  let said = schema;
  for (const describe of config?.descriptions ?? []) said = describe({ ...said }, document);
  return said;
}
