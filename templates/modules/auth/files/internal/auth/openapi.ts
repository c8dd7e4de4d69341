import type { RouteOptions } from 'fastify';
import { problems } from '../http/openapi.ts';
import type { Http } from '../http/server.ts';
import { checkNeeds, needsOf } from './policy.ts';

const scheme = 'bearer';
const challenge = { 'WWW-Authenticate': { schema: { type: 'string' }, description: 'What is needed (RFC 6750)' } };
const unauthorized = { ...problems.default, description: 'No token, or one that is not accepted', headers: challenge };
const forbidden = { ...problems.default, description: 'A token that does not permit this', headers: challenge };

/**
 * For `onRoute`: says in the description of a route what it asks of its callers.
 * @param route as it is registered; its schema is replaced, not changed
 * @throws {TypeError} on a scope or role that no token can have
 */
export function describeRoute(route: RouteOptions): void {
  const needs = needsOf(route.url, route.config?.auth);
  if (needs !== undefined) checkNeeds(needs);
  if (route.schema === undefined || route.schema.hide === true) return;
  const { response } = route.schema;
  if (needs === undefined) {
    route.schema = { ...route.schema, security: [] };
    return;
  }
  const names = [...needs.scopes, ...needs.roles];
  route.schema = {
    ...route.schema,
    ...(names.length > 0 && { security: [{ [scheme]: names }] }),
    response: {
      401: unauthorized,
      ...(names.length > 0 && { 403: forbidden }),
      ...(typeof response === 'object' && response),
    },
  };
}

/**
 * For `onReady`: says in the document that a token is needed wherever a route does not say otherwise. The document is made
 * once and kept, so what is added to it here is served.
 * @param http the API's server
 */
export function describeScheme(http: Http): void {
  const document = http.swagger();
  Object.assign(document, {
    security: [{ [scheme]: [] }],
    components: {
      ...('components' in document ? document.components : {}),
      securitySchemes: { [scheme]: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  });
}
