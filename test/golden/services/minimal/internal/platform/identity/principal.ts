import { contextKey } from '../../../pkg/context/index.ts';

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
