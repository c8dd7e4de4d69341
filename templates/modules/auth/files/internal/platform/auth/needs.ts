import type { RouteOptions } from 'fastify';
import type { Principal } from '../http/requestContext.ts';
import { type Needs, missingFrom, scopesOf } from '../identity/module.ts';
import { type ApiDocument, describeRoute } from '../openapi/describe.ts';

/** Who may call a route, in `config: { auth: ... }`: anyone, or a valid token with all the scopes and one of the roles. */
export type RouteAuth = 'public' | Partial<Needs>;

const nothing: Needs = { scopes: [], roles: [] };

/** Routes of the base that describe the service to anyone. They are hidden from the OpenAPI document; other routes with these paths are not. */
const descriptions = /^\/(?:openapi\.json|version|docs(?:\/.*)?)$/;

/** The parts of a route that decide who may call it. */
export interface Route {
  readonly method: string | readonly string[];
  readonly url?: string | undefined;
  readonly config?: { readonly auth?: RouteAuth; readonly resource?: string } | undefined;
  readonly schema?: { readonly hide?: boolean } | undefined;
}

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * @param route as it was registered
 * @returns what its callers need; undefined when it is public
 */
export function needsOf({ method, url = '', config, schema }: Route): Needs | undefined {
  const auth = config?.auth;
  if (auth === 'public') return undefined;
  if (auth !== undefined) return { ...nothing, ...auth };
  if (config?.resource !== undefined) {
    const { read, write } = scopesOf(config.resource);
    return { ...nothing, scopes: [[method].flat().every((each) => safe.has(each)) ? read : write] };
  }
  return schema?.hide === true && descriptions.test(url) ? undefined : nothing;
}

/**
 * Decides as the guard does, without a log line or a metric.
 * @param principal the caller; undefined when unknown
 * @param route the route
 * @returns whether the caller may call the route
 */
export function permits(principal: Principal | undefined, route: Route): boolean {
  const needs = needsOf(route);
  return needs === undefined || (principal !== undefined && missingFrom(principal, needs) === undefined);
}

/** Said once for all operations, in `security` of the document. */
const bearer = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'Without a token, or with one that is not accepted: 401. With one that does not permit it: 403. WWW-Authenticate says what is needed (RFC 6750).',
} as const;

/**
 * For `onRoute`: adds to the OpenAPI document what the route needs.
 * @param route as it is registered
 */
export function describeNeeds(route: RouteOptions): void {
  const needs = needsOf(route);
  const names = needs && [...needs.scopes, ...needs.roles];
  describeRoute(route, (schema, document) => {
    describeBearer(document);
    // The document says once that a token is needed.
    if (names?.length === 0) return schema;
    return { ...schema, security: names === undefined ? [] : [{ bearer: names }] };
  });
}

/**
 * Says in the OpenAPI document how callers prove who they are.
 * @param document of the whole API
 */
export function describeBearer(document: ApiDocument): void {
  document.security = [{ bearer: [] }];
  const { components } = document;
  document.components = { ...components, securitySchemes: { ...components?.securitySchemes, bearer } };
}
