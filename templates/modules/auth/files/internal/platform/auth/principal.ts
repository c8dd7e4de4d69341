import type { JWTPayload } from 'jose';
import type { Principal } from '../identity/module.ts';

/** Who sends a request, by a token that was verified. */
export interface Bearer extends Principal {
  /** Header `kid` of the token: the key that signed it. */
  readonly keyId: string | undefined;
}

/** Paths of the claims that list scopes and roles. */
export interface ClaimPaths {
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/**
 * @param claims of a verified token that has a subject and an end
 * @param keyId of the key that signed it
 * @param paths where scopes and roles stand
 * @returns who it is
 */
export function principalFrom(
  claims: JWTPayload & { readonly sub: string; readonly exp: number },
  keyId: string | undefined,
  paths: ClaimPaths,
): Bearer {
  return {
    subject: claims.sub,
    scopes: wordsAt(claims, paths.scopes),
    roles: wordsAt(claims, paths.roles),
    claims,
    expiresAt: claims.exp * 1000,
    keyId,
  };
}

/** What is neither text nor a list of texts permits nothing. */
function wordsAt(claims: JWTPayload, path: readonly string[]): ReadonlySet<string> {
  const found = path.reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    claims,
  );
  if (typeof found === 'string') return new Set(found.split(' ').filter((word) => word !== ''));
  return new Set(Array.isArray(found) ? found.filter((word) => typeof word === 'string') : []);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
