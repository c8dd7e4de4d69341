import { permissionDenied, unauthenticated } from '../../../../pkg/errors/index.ts';
import type { Principal } from '../../http/requestContext.ts';
import { missingFrom } from '../../identity/module.ts';

/**
 * @param caller who asks, when the service knows
 * @param scopes that are needed, all of them
 * @throws {ServiceError} 401 when nobody is known, 403 when a scope is missing
 */
export function permitScopes(caller: Principal | undefined, scopes: readonly string[]): void {
  if (scopes.length === 0) return;
  if (caller === undefined) throw unauthenticated('Who connects has to say who it is.');
  if (missingFrom(caller, { scopes, roles: [] }) !== undefined) {
    throw permissionDenied('The token does not permit this.', { code: 'insufficient_scope', details: { scopes } });
  }
}
