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

/** Where the module that knows tokens and those that are asked for them meet: neither needs the other to be there. */
export class Identity {
  #authenticate: Authenticate | undefined;

  /** Undefined when no module of this service knows tokens; to be asked for once all modules have started. */
  get authenticate(): Authenticate | undefined {
    return this.#authenticate;
  }

  /**
   * @param authenticate who decides, for all
   * @throws {Error} when somebody does already
   */
  provide(authenticate: Authenticate): void {
    if (this.#authenticate !== undefined) throw new Error('two modules authenticate requests');
    this.#authenticate = authenticate;
  }
}

/** Who is behind a request. It knows nobody until a module provides that. */
export const identity = defineModule({
  name: 'identity',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: new Identity() }),
});
