import { errors, jwtVerify } from 'jose';
import { Denial, type Reason } from './denial.ts';
import { type Bearer, principalFrom } from './principal.ts';
import type { Settings, Trust } from './trust.ts';

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
