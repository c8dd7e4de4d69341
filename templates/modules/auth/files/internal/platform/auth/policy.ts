import type { FastifySchema, RouteOptions } from 'fastify';
import { describeRoute } from '../openapi/describe.ts';
import { problems } from '../http/problems.ts';
import { type Needs, missingFrom } from '../identity/module.ts';
import type { Principal } from '../http/requestContext.ts';
import { Denial } from './denial.ts';

/** What a route asks of its callers, in `config: { auth: ... }`. A route that says nothing asks for a valid token. */
export type RouteAuth =
  /** Anyone may call it; no token is looked at. */
  | 'public'
  | {
      /** The token must have all of them. */
      readonly scopes?: readonly string[];
      /** The token must have one of them. */
      readonly roles?: readonly string[];
    };

const nothing: Needs = { scopes: [], roles: [] };

/** A scope as RFC 6749, 3.3 writes it: it stands between quotes in a header. */
const word = /^[!#-[\]-~]+$/;

/** Where the base describes the service to anyone; a route there that stands in the OpenAPI document is not the base's. */
const descriptions = /^\/(?:openapi\.json|version|docs(?:\/.*)?)$/;

/** What is known of a route. */
export interface Route {
  readonly url?: string | undefined;
  readonly config?: { readonly auth?: RouteAuth } | undefined;
  readonly schema?: { readonly hide?: boolean } | undefined;
}

/**
 * @param route as it was registered
 * @returns what it asks for; undefined when it is public
 */
export function needsOf({ url = '', config, schema }: Route): Needs | undefined {
  const auth = config?.auth;
  if (auth === 'public') return undefined;
  if (auth !== undefined) return { ...nothing, ...auth };
  return schema?.hide === true && descriptions.test(url) ? undefined : nothing;
}

/**
 * @param needs what a route asks for
 * @throws {TypeError} on a scope or role that no token can have
 */
export function checkNeeds({ scopes, roles }: Needs): void {
  const wrong = [...scopes, ...roles].find((name) => !word.test(name));
  if (wrong !== undefined) throw new TypeError(`${JSON.stringify(wrong)} is no scope or role`);
}

/**
 * @param principal who asks
 * @param needs what is asked for: every scope, and one of the roles
 * @throws {Denial} when something is missing
 */
export function permit(principal: Principal, needs: Needs): void {
  const missing = missingFrom(principal, needs);
  if (missing !== undefined) throw new Denial(missing, { subject: principal.subject, scopes: needs.scopes });
}

/**
 * For whoever wants to know before anything is asked for: the same decision, of which nobody hears.
 * @param principal who would ask
 * @param route what for
 * @returns whether it would be let through
 */
export function permits(principal: Principal | undefined, route: Route): boolean {
  const needs = needsOf(route);
  return needs === undefined || (principal !== undefined && missingFrom(principal, needs) === undefined);
}

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
  describeRoute(route, (schema, document) => {
    // Before any operation that names the scheme; the same each time.
    document.security = [{ bearer: [] }];
    document.components = {
      ...document.components,
      securitySchemes: { ...document.components?.securitySchemes, bearer },
    };
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
