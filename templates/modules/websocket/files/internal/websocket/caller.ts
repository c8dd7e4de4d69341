import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** Who has connected, when the service knows (module auth). */
export interface Caller {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** When the token ends, by `Date.now()`; Infinity when it does not. */
  readonly expiresAt: number;
}

/** What the guard of module auth leaves on a request. A service without that module has nobody's types to import. */
const Principal = Type.Object({
  subject: Type.String(),
  scopes: Type.Unsafe<ReadonlySet<string>>({}),
  roles: Type.Unsafe<ReadonlySet<string>>({}),
  claims: Type.Object({ exp: Type.Optional(Type.Number()) }),
});

/**
 * @param request that is to be upgraded, past every guard of the service
 * @returns who sent it; undefined when no guard has said
 */
export function callerOf(request: FastifyRequest): Caller | undefined {
  const principal: unknown = 'principal' in request ? request.principal : undefined;
  if (!Value.Check(Principal, principal)) return undefined;
  const { subject, scopes, roles, claims } = principal;
  return { subject, scopes, roles, expiresAt: claims.exp === undefined ? Infinity : claims.exp * 1000 };
}
