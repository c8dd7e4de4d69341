import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { contextKey } from '../../../pkg/context/index.ts';
import { defineModule } from '../app/module.ts';

/** Who sends a request, by credentials that were verified. */
export interface Principal {
  /** The id of a user or of a client, as whoever issued the credentials has it. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** All that the credentials say. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** When they end, in milliseconds since 1970; a connection must not outlive them. */
  readonly expiresAt: number;
}

/** In the context of work that is done for somebody who is known. */
export const principalKey = contextKey<Principal>('principal');

/** What somebody must be permitted. */
export interface Needs {
  /** All of them. */
  readonly scopes: readonly string[];
  /** One of them, if there are any. */
  readonly roles: readonly string[];
}

/**
 * @param principal who asks
 * @param needs what is asked for
 * @returns what of it is missing: a scope before a role; undefined when nothing is
 */
export function missingFrom(principal: Principal, { scopes, roles }: Needs): 'scope' | 'role' | undefined {
  if (!scopes.every((scope) => principal.scopes.has(scope))) return 'scope';
  return roles.length === 0 || roles.some((role) => principal.roles.has(role)) ? undefined : 'role';
}

/**
 * Verifies the bearer token of one request, whatever brought it here.
 * @param token as it was sent; undefined when there was none
 * @param needs what the sender must be permitted
 * @param what is asked for, as fields of a log line
 * @returns who sent it
 * @throws {ServiceError} 401 or 403 when the request is denied, 503 when that cannot be told
 */
export type Authenticate = (
  token: string | undefined,
  needs: Needs,
  what: Readonly<Record<string, unknown>>,
) => Promise<Principal>;

/**
 * Whether a route would let somebody through, as far as that can be told without a request to it.
 * @param principal who asks; undefined when nobody knows
 * @param route as it was registered
 */
export type Permits = (
  principal: Principal | undefined,
  route: Pick<RouteOptions, 'url' | 'config' | 'schema'>,
) => boolean;

/** Where the module that knows tokens and those that are asked for them meet: neither needs the other to be there. */
export class Identity {
  #authenticate: Authenticate | undefined;
  #permits: Permits = () => true;

  /** Undefined when no module of this service knows tokens; to be asked for once all modules have started. */
  get authenticate(): Authenticate | undefined {
    return this.#authenticate;
  }

  /** Everybody may do everything where no module says otherwise; to be asked for once all modules have started. */
  get permits(): Permits {
    return this.#permits;
  }

  /**
   * @param authenticate who decides, for all
   * @param permits what it would decide of a route
   * @throws {Error} when somebody does already
   */
  provide(authenticate: Authenticate, permits: Permits): void {
    if (this.#authenticate !== undefined) throw new Error('two modules authenticate requests');
    this.#authenticate = authenticate;
    this.#permits = permits;
  }
}

/** Who is behind a request. It knows nobody until a module provides that. */
export const identity = defineModule({
  name: 'identity',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: new Identity() }),
});
