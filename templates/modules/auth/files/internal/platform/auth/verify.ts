import { type JWTPayload, errors, jwtVerify } from 'jose';
import type { Static } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Principal } from '../http/requestContext.ts';
import type { config } from './config.ts';
import type { Keys } from './keys.ts';

/** Error codes of RFC 6750, 3.1, with the status and the message that the caller gets. */
const answers = {
  unauthenticated: { status: 401, publicMessage: 'A bearer token is needed.' },
  invalid_request: { status: 400, publicMessage: 'The Authorization header is not valid.' },
  invalid_token: { status: 401, publicMessage: 'The bearer token is not accepted.' },
  insufficient_scope: { status: 403, publicMessage: 'The bearer token does not permit this.' },
} as const;

/** Why a request is denied, for the audit log and the metrics. */
export type Reason =
  | 'token_missing'
  | 'header_malformed'
  | 'header_repeated'
  | 'token_oversized'
  | 'token_malformed'
  | 'token_type'
  | 'algorithm'
  | 'key_unknown'
  | 'signature'
  | 'expired'
  | 'not_yet_valid'
  | 'issuer'
  | 'audience'
  | 'claims'
  | 'scope'
  | 'role';

/** The code of a reason; all other reasons have `invalid_token`. */
const codes: Readonly<Partial<Record<Reason, keyof typeof answers>>> = {
  token_missing: 'unauthenticated',
  header_malformed: 'invalid_request',
  header_repeated: 'invalid_request',
  scope: 'insufficient_scope',
  role: 'insufficient_scope',
};

/** A request that is denied. */
export class Denial extends ServiceError {
  readonly reason: Reason;
  readonly subject: string | undefined;
  readonly #scopes: readonly string[];

  /**
   * @param reason for the log; the caller gets only the code of RFC 6750
   * @param cause the error of jose
   * @param subject of a token whose signature is valid
   * @param scopes that the route needs
   */
  constructor(reason: Reason, cause?: unknown, subject?: string, scopes: readonly string[] = []) {
    const code = codes[reason] ?? 'invalid_token';
    super({ code, ...answers[code], cause });
    this.reason = reason;
    this.subject = subject;
    this.#scopes = scopes;
  }

  /**
   * @param realm the name of this service
   * @returns the value of WWW-Authenticate; without an error code when no token was sent (RFC 6750, 3.1)
   */
  challenge(realm: string): string {
    const error = this.code === 'unauthenticated' ? '' : `, error="${this.code}"`;
    const scope = this.#scopes.length === 0 ? '' : `, scope="${this.#scopes.join(' ')}"`;
    return `Bearer realm="${realm}"${error}${scope}`;
  }
}

/** The caller of a request, from a verified token. */
export interface Bearer extends Principal {
  /** Header `kid` of the token: the key that signed it. */
  readonly keyId: string | undefined;
}

/** The issuer whose tokens are accepted. */
export interface Trust {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: string[];
  readonly keys: Keys;
}

/** Max length of a token in bytes; Node's limit for all headers of a request is the same. */
const maxTokenBytes = 16_384;

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

/** Verifies one token; undefined when there is none. */
export type Verify = (token: string | undefined) => Promise<Bearer>;

/**
 * @param trust whose tokens are accepted
 * @param settings what a token must look like
 * @returns a function that verifies a token. It throws a `Denial` when the token is not accepted, and another error when the token
 * cannot be verified
 */
export function createVerifier({ keys, ...trust }: Trust, settings: Static<typeof config>): Verify {
  const checks = {
    ...trust,
    clockTolerance: settings.AUTH_CLOCK_SKEW_SECONDS,
    requiredClaims: ['exp', 'sub', ...settings.AUTH_REQUIRED_CLAIMS.split(',').filter((claim) => claim !== '')],
    ...(settings.AUTH_JWT_TYPE !== '' && { typ: settings.AUTH_JWT_TYPE }),
  };
  return async (token = '') => {
    if (token === '') throw new Denial('token_missing');
    if (token.length > maxTokenBytes) throw new Denial('token_oversized');
    const { payload, protectedHeader } = await jwtVerify(token, keys.resolve, checks).catch(deny);
    const { sub, exp } = payload;
    if (typeof sub !== 'string' || sub === '' || exp === undefined) throw new Denial('claims');
    return {
      subject: sub,
      scopes: wordsAt(payload, settings.AUTH_SCOPE_CLAIM),
      roles: wordsAt(payload, settings.AUTH_ROLES_CLAIM),
      claims: payload,
      expiresAt: exp * 1000,
      keyId: protectedHeader.kid,
    };
  };
}

function deny(cause: unknown): never {
  // Unusable keys of the issuer are not a fault of the caller.
  if (!(cause instanceof errors.JOSEError) || cause instanceof errors.JWKSInvalid) throw cause;
  if (cause instanceof errors.JWTExpired || cause instanceof errors.JWTClaimValidationFailed) {
    const { code, claim, payload, reason } = cause;
    // The claim has the wrong value; a claim that is missing, or is no date, has the reason "claims".
    const wrong = reason === 'check_failed' || claim === 'typ' ? reasonOfClaim[claim] : undefined;
    throw new Denial(reasonOfCode[code] ?? wrong ?? 'claims', cause, payload.sub);
  }
  throw new Denial(reasonOfCode[cause.code] ?? 'token_malformed', cause);
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
