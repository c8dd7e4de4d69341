import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import { problems } from '../http/openapi.ts';
import type { Needs } from '../identity/principal.ts';
import { checkNeeds, needsOf } from './policy.ts';

const bearer = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } as const;
const challenge = { 'WWW-Authenticate': { type: 'string', description: 'What is needed (RFC 6750)' } };
const unauthorized = { ...problems.default, description: 'No token, or one that is not accepted', headers: challenge };
const forbidden = { ...problems.default, description: 'A token that does not permit this', headers: challenge };

/**
 * For `onRoute`: the OpenAPI document says what the route asks of its callers, and that a token is needed wherever a route
 * does not say otherwise.
 * @param route as it is registered
 * @throws {TypeError} on a scope or role that no token can have
 */
export function describeRoute(route: RouteOptions): void {
  const needs = needsOf(route);
  if (needs !== undefined) checkNeeds(needs);
  const swaggerTransform: SwaggerTransform = ({ schema, url, ...made }) => {
    // Before any operation that names the scheme; the same each time.
    if ('openapiObject' in made) {
      const { openapiObject: document } = made;
      document.security = [{ bearer: [] }];
      document.components = {
        ...document.components,
        securitySchemes: { ...document.components?.securitySchemes, bearer },
      };
    }
    return { schema: { ...schema, ...described({ ...schema }, needs) }, url };
  };
  route.config = { ...route.config, swaggerTransform };
}

/** A route that says nothing of its replies is left alone in that. */
function described({ response }: FastifySchema, needs: Needs | undefined): FastifySchema {
  if (needs === undefined) return { security: [] };
  const names = [...needs.scopes, ...needs.roles];
  return {
    ...(names.length > 0 && { security: [{ bearer: names }] }),
    ...(typeof response === 'object' && {
      response: { 401: unauthorized, ...(names.length > 0 && { 403: forbidden }), ...response },
    }),
  };
}
