import type { FastifySchema, RouteOptions } from 'fastify';
import { describeRoute, problems } from '../http/openapi.ts';
import type { Needs } from '../identity/module.ts';
import { checkNeeds, needsOf } from './policy.ts';

/** Said once: what held for every operation would be missing from those that are written down before the module is added. */
const bearer = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'Without a token, or with one that is not accepted: 401. With one that does not permit it: 403. WWW-Authenticate says what is needed (RFC 6750).',
} as const;
const challenge = { 'WWW-Authenticate': { type: 'string', description: 'What is needed (RFC 6750)' } };
const forbidden = { ...problems.default, description: 'A token that does not permit this', headers: challenge };

/**
 * For `onRoute`: the OpenAPI document says what the route asks of its callers, and that a token is needed wherever a route
 * does not say otherwise.
 * @param route as it is registered
 * @throws {TypeError} on a scope or role that no token can have
 */
export function describeNeeds(route: RouteOptions): void {
  const needs = needsOf(route);
  if (needs !== undefined) checkNeeds(needs);
  describeRoute(route, (schema, made) => {
    // Before any operation that names the scheme; the same each time.
    if ('openapiObject' in made) {
      const { openapiObject: document } = made;
      document.security = [{ bearer: [] }];
      document.components = {
        ...document.components,
        securitySchemes: { ...document.components?.securitySchemes, bearer },
      };
    }
    return { ...schema, ...described(schema, needs) };
  });
}

/** A route that says nothing of its replies is left alone in that. */
function described({ response }: FastifySchema, needs: Needs | undefined): FastifySchema {
  if (needs === undefined) return { security: [] };
  const names = [...needs.scopes, ...needs.roles];
  if (names.length === 0) return {};
  return {
    security: [{ bearer: names }],
    ...(typeof response === 'object' && { response: { 403: forbidden, ...response } }),
  };
}
