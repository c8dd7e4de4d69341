import type { FastifySchema, RouteOptions } from 'fastify';

/** The parts of an OpenAPI document that apply to all routes. */
export interface ApiDocument {
  security?: Record<string, string[]>[];
  components?: { schemas?: Record<string, object>; securitySchemes?: Record<string, object> };
}

/** Returns the schema of a route for the contract. It may also add to the document. */
export type Describe = (schema: FastifySchema, document: ApiDocument) => FastifySchema;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Added by `describeRoute`. */
    descriptions?: readonly Describe[];
  }
}

/**
 * Adds to the description of a route in the contract. Several modules can do so; each gets the result of the former ones.
 * @param route from an `onRoute` hook
 * @param describe changes the schema
 */
export function describeRoute(route: RouteOptions, describe: Describe): void {
  const descriptions = [...(route.config?.descriptions ?? []), describe];
  route.config = { ...route.config, descriptions };
}

/**
 * @param route as it was registered
 * @param document that the descriptions may add to
 * @returns the schema of the route for the contract
 */
export function describedSchema(
  { schema = {}, config }: Pick<RouteOptions, 'schema' | 'config'>,
  document: ApiDocument,
): FastifySchema {
  let described = schema;
  for (const describe of config?.descriptions ?? []) described = describe({ ...described }, document);
  return described;
}
