import type { IncomingMessage } from 'node:http';
import { type JWTPayload, errors, jwtVerify } from 'jose';
import type { Principal } from '../http/requestContext.ts';
import { Denial, type Reason } from './denial.ts';
import type { Settings, Trust } from './trust.ts';

/** Scheme, and a token of the characters that RFC 6750, 2.1 allows. */
const bearer = /^bearer +([\w\-.~+/]+=*)$/i;

/**
 * Reads the token of a request: from the Authorization header and from nowhere else. In a URL it would end up in logs and
 * histories (RFC 6750, 5.3).
 * @param request as it came in
 * @param limit the longest token that is accepted, in bytes
 * @returns the token; nothing of it is checked
 * @throws {Denial} when there is none, when it is too long, or when the header is malformed or repeated
 */
export function bearerToken({ headers, rawHeaders }: IncomingMessage, limit: number): string {
  const { authorization } = headers;
  if (authorization === undefined) throw new Denial('token_missing');
  // Node keeps the first of several and drops the others: a proxy may have looked at another one.
  if (isRepeated(rawHeaders)) throw new Denial('header_repeated');
  if (!/^bearer( |$)/i.test(authorization)) throw new Denial('token_missing');
  if (authorization.length > limit + 'Bearer '.length) throw new Denial('token_oversized');
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) throw new Denial('header_malformed');
  return token;
}

/**
 * @param limit the longest token that is accepted, in bytes
 * @param token as it came by another way than HTTP
 * @returns the token; nothing else of it is checked
 * @throws {Denial} when there is none, or when it is too long
 */
export function within(limit: number, token: string | undefined): string {
  if (token === undefined || token === '') throw new Denial('token_missing');
  if (token.length > limit) throw new Denial('token_oversized');
  return token;
}

function isRepeated(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 'authorization'.length && name.toLowerCase() === 'authorization') count += 1;
  }
  return count > 1;
}

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

/** Verifies one token. */
export type Verify = (token: string) => Promise<Bearer>;

const reasonOfCode: Readonly<Record<string, Reason>> = {
  ERR_JWT_EXPIRED: 'expired',
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'key_unknown',
  // Several keys fit, and the token names none.
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key_unknown',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
};

const reasonOfClaim: Readonly<Record<string, Reason>> = {
  nbf: 'not_yet_valid',
  iss: 'issuer',
  aud: 'audience',
  typ: 'token_type',
};

/**
 * @param trust whose tokens are accepted
 * @param settings what a token must look like
 * @returns a function that gives the principal of a token, and throws a `Denial` when it is not good; other errors mean that
 * it could not be verified
 */
export function createVerifier(trust: Trust, settings: Settings): Verify {
  const options = {
    issuer: trust.issuer,
    audience: trust.audience,
    algorithms: [...trust.algorithms],
    clockTolerance: settings.AUTH_CLOCK_SKEW_SECONDS,
    requiredClaims: ['exp', 'sub', ...settings.AUTH_REQUIRED_CLAIMS.split(',').filter((claim) => claim !== '')],
    ...(settings.AUTH_JWT_TYPE !== '' && { typ: settings.AUTH_JWT_TYPE }),
  };
  const paths = { scopes: settings.AUTH_SCOPE_CLAIM.split('.'), roles: settings.AUTH_ROLES_CLAIM.split('.') };

  return async (token) => {
    const { payload, protectedHeader } = await jwtVerify(token, trust.keys.resolve, options).catch(deny);
    const { sub, exp } = payload;
    if (typeof sub !== 'string' || sub === '' || exp === undefined) throw new Denial('claims');
    return principalFrom({ ...payload, sub, exp }, protectedHeader.kid, paths);
  };
}

function deny(error: unknown): never {
  // Keys of the issuer that cannot be used are not the caller's fault.
  if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSInvalid) throw error;
  const cause = error;
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    const { code, claim, payload, reason } = error;
    // One that is there and is wrong; one that is missing, or no date, is another matter.
    const wrong = reason === 'check_failed' || claim === 'typ' ? reasonOfClaim[claim] : undefined;
    throw new Denial(reasonOfCode[code] ?? wrong ?? 'claims', { cause, subject: payload.sub });
  }
  throw new Denial(reasonOfCode[error.code] ?? 'token_malformed', { cause });
}
