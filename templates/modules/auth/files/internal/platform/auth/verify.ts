import { type JWTPayload, type JWTVerifyGetKey, errors, jwtVerify } from 'jose';
import type { Static } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Principal } from '../http/requestContext.ts';
import type { config } from './config.ts';

/** Error codes of RFC 6750, 3.1, with the status and the message that the caller gets. */
const answers = {
  unauthenticated: { status: 401, publicMessage: 'A bearer token is needed.' },
  invalid_request: { status: 400, publicMessage: 'The Authorization header is not valid.' },
  invalid_token: { status: 401, publicMessage: 'The bearer token is not accepted.' },
  insufficient_scope: { status: 403, publicMessage: 'The bearer token does not permit this.' },
} as const;

export interface DenialDetails {
  /** The error of jose. */
  readonly cause?: unknown;
  /** Of a token whose signature is valid. */
  readonly subject?: string | undefined;
  /** What the route needs. */
  readonly scopes?: readonly string[];
}

/** A request that is denied. */
export class Denial extends ServiceError {
  /** For the audit log and the metrics; the caller gets only the code. */
  readonly reason: string;
  readonly subject: string | undefined;
  /** The value of WWW-Authenticate after the realm; without an error code when no token was sent (RFC 6750, 3.1). */
  readonly challenge: string;

  /**
   * @param code of RFC 6750
   * @param reason for the log
   * @param details what is known
   */
  constructor(code: keyof typeof answers, reason: string, { cause, subject, scopes = [] }: DenialDetails = {}) {
    super({ code, ...answers[code], cause });
    this.reason = reason;
    this.subject = subject;
    const error = code === 'unauthenticated' ? '' : `, error="${code}"`;
    this.challenge = scopes.length === 0 ? error : `${error}, scope="${scopes.join(' ')}"`;
  }
}

/** The issuer whose tokens are accepted. */
export interface Trust {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: string[];
  readonly resolve: JWTVerifyGetKey;
}

/** Seconds by which the clocks of the issuer and of this service may differ. */
const clockTolerance = 30;

/** Verifies one token. */
export type Verify = (token: string) => Promise<Principal>;

/**
 * @param trust whose tokens are accepted
 * @param settings what a token must look like
 * @returns a function that verifies a token. It throws a `Denial` when the token is not accepted, and another error when the token
 * cannot be verified
 */
export function createVerifier({ resolve, ...trust }: Trust, settings: Static<typeof config>): Verify {
  const checks = {
    ...trust,
    clockTolerance,
    requiredClaims: ['exp', 'sub'],
    ...(settings.AUTH_JWT_TYPE !== '' && { typ: settings.AUTH_JWT_TYPE }),
  };
  return async (token) => {
    const { payload } = await jwtVerify(token, resolve, checks).catch(deny);
    const { sub, exp } = payload;
    if (typeof sub !== 'string' || sub === '' || exp === undefined) throw new Denial('invalid_token', 'claim_sub');
    return {
      subject: sub,
      scopes: wordsAt(payload, settings.AUTH_SCOPE_CLAIM),
      roles: wordsAt(payload, settings.AUTH_ROLES_CLAIM),
      claims: payload,
      expiresAt: (exp + clockTolerance) * 1000,
    };
  };
}

/** The reason is the claim that is wrong, or the code of jose: `claim_aud`, `jwt_expired`, `jwks_no_matching_key`. */
function deny(cause: unknown): never {
  // Unusable keys of the issuer are not a fault of the caller.
  if (!(cause instanceof errors.JOSEError) || cause instanceof errors.JWKSInvalid) throw cause;
  const isClaim = cause instanceof errors.JWTClaimValidationFailed;
  const reason = isClaim ? `claim_${cause.claim}` : cause.code.replace('ERR_', '').toLowerCase();
  const subject = isClaim || cause instanceof errors.JWTExpired ? cause.payload.sub : undefined;
  throw new Denial('invalid_token', reason, { cause, subject });
}

/** A claim that is neither text nor a list of texts permits nothing. */
function wordsAt(claims: JWTPayload, path: string): ReadonlySet<string> {
  const found = path
    .split('.')
    .reduce<unknown>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), claims);
  if (typeof found === 'string') return new Set(found.split(' ').filter((word) => word !== ''));
  return new Set(Array.isArray(found) ? found.filter((word) => typeof word === 'string') : []);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
