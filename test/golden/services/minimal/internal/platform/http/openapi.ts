import type { FastifyDynamicSwaggerOptions, SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import { about } from '../app/about.ts';
import { Problem, problemType } from './problems/problem.ts';

/**
 * How `/openapi.json` describes the API. Its version is the API's own, not the package's: raise its first number with a change
 * that breaks callers. No security is said to be needed: a module that asks for some says so itself.
 */
export const openapi: FastifyDynamicSwaggerOptions = {
  openapi: { openapi: '3.1.0', info: { title: about.name, version: '1.0.0' }, security: [] },
  refResolver: {
    buildLocalReference: ({ $id }, _base, _fragment, index) => (typeof $id === 'string' ? $id : `schema-${index}`),
  },
};

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
 * For modules, in `onRoute`: has the OpenAPI document say more of a route than the route itself does. Several may, each of what
 * those before have said.
 * @param route as it is registered
 * @param describe gives the schema as the document is to have it
 */
export function describeRoute(
  route: RouteOptions,
  describe: (schema: FastifySchema, made: Parameters<SwaggerTransform>[0]) => FastifySchema,
): void {
  const before = route.config?.swaggerTransform;
  const swaggerTransform: SwaggerTransform = (made) => {
    const { schema, url } = before ? before(made) : made;
    return { schema: describe({ ...schema }, made), url };
  };
  route.config = { ...route.config, swaggerTransform };
}
