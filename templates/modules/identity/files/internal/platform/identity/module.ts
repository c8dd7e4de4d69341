import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import type { Principal } from '../http/requestContext.ts';

/** An Authorization header with a bearer token: the scheme, and a token of the characters that RFC 6750, 2.1 allows. */
export const bearer = /^bearer +([\w\-.~+/]+=*)$/i;

/** The permissions that a route or a method requires. */
export interface Needs {
  /** All of them are required. */
  readonly scopes: readonly string[];
  /** One of them is required; an empty list requires none. */
  readonly roles: readonly string[];
}

/**
 * @param resource its name
 * @returns the scopes that it needs: for what changes nothing, and for the rest
 */
export function scopesOf(resource: string): { readonly read: string; readonly write: string } {
  return { read: `${resource}:read`, write: `${resource}:write` };
}

/**
 * @param principal the caller
 * @param needs the required permissions
 * @returns what is missing, a scope before a role; undefined when nothing is missing
 */
export function missingFrom(principal: Principal, { scopes, roles }: Needs): 'scope' | 'role' | undefined {
  if (!scopes.every((scope) => principal.scopes.has(scope))) return 'scope';
  return roles.length === 0 || roles.some((role) => principal.roles.has(role)) ? undefined : 'role';
}

/**
 * Verifies the bearer token of one request of any protocol.
 * @param token of the request; undefined when it has none
 * @param needs the required permissions
 * @param what is requested, as fields of a log line
 * @returns the caller
 * @throws {ServiceError} 401 or 403 when the request is denied, 503 when the token cannot be verified now
 */
export type Authenticate = (
  token: string | undefined,
  needs: Needs,
  what: Readonly<Record<string, unknown>>,
) => Promise<Principal>;

/**
 * Whether a caller may use a route, as far as this can be decided without a request.
 * @param principal the caller; undefined when it is not known
 * @param route as it was registered
 */
export type Permits = (
  principal: Principal | undefined,
  route: Pick<RouteOptions, 'method' | 'url' | 'config' | 'schema'>,
) => boolean;

/** Connects the module that verifies tokens to the modules that receive them. Neither requires the other. */
export class Identity {
  #authenticate: Authenticate | undefined;
  #permits: Permits = () => true;

  /** Undefined when no module of this service verifies tokens. Read it after all modules have started. */
  get authenticate(): Authenticate | undefined {
    return this.#authenticate;
  }

  /** Permits everything unless a module provides a check. Read it after all modules have started. */
  get permits(): Permits {
    return this.#permits;
  }

  /**
   * @param authenticate verifies tokens
   * @param permits decides about a route without a request
   * @throws {Error} when another module has provided them already
   */
  provide(authenticate: Authenticate, permits: Permits): void {
    if (this.#authenticate !== undefined) throw new Error('two modules authenticate requests');
    this.#authenticate = authenticate;
    this.#permits = permits;
  }
}

/** Holds the functions that a module such as `auth` provides. */
export const identity = defineModule({
  name: 'identity',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: new Identity() }),
});
