import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import type { Needs, Principal } from './principal.ts';

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
