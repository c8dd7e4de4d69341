import { ServiceError } from '../../../pkg/errors/index.ts';

/** What a caller is told, by RFC 6750, 3.1. */
type Told = 'unauthenticated' | 'invalid_request' | 'invalid_token' | 'insufficient_scope';

/** Why a request is denied: stands in the audit log and in the metrics. A caller learns only what it is told. */
const reasons = {
  token_missing: 'unauthenticated',
  header_malformed: 'invalid_request',
  header_repeated: 'invalid_request',
  token_oversized: 'invalid_token',
  token_malformed: 'invalid_token',
  token_type: 'invalid_token',
  algorithm: 'invalid_token',
  key_unknown: 'invalid_token',
  signature: 'invalid_token',
  expired: 'invalid_token',
  not_yet_valid: 'invalid_token',
  issuer: 'invalid_token',
  audience: 'invalid_token',
  claims: 'invalid_token',
  scope: 'insufficient_scope',
  role: 'insufficient_scope',
} as const satisfies Readonly<Record<string, Told>>;

export type Reason = keyof typeof reasons;

const answers: Readonly<Record<Told, { readonly status: number; readonly publicMessage: string }>> = {
  unauthenticated: { status: 401, publicMessage: 'A bearer token is needed.' },
  invalid_request: { status: 400, publicMessage: 'The Authorization header is not valid.' },
  invalid_token: { status: 401, publicMessage: 'The bearer token is not accepted.' },
  insufficient_scope: { status: 403, publicMessage: 'The bearer token does not permit this.' },
};

/** A request is not let through. */
export class Denial extends ServiceError {
  readonly reason: Reason;
  /** Of a token whose signature is good. */
  readonly subject: string | undefined;
  /** Scopes that the route asks for. */
  readonly scopes: readonly string[];

  /**
   * @param reason for us
   * @param about what is known besides: the cause, a verified subject, the scopes asked for
   */
  constructor(
    reason: Reason,
    about: {
      readonly cause?: unknown;
      readonly subject?: string | undefined;
      readonly scopes?: readonly string[];
    } = {},
  ) {
    super({ code: reasons[reason], ...answers[reasons[reason]], cause: about.cause });
    this.reason = reason;
    this.subject = about.subject;
    this.scopes = about.scopes ?? [];
  }

  /**
   * @param realm the name of this service
   * @returns the value of WWW-Authenticate; without an error code when no token was sent (RFC 6750, 3.1)
   */
  challenge(realm: string): string {
    const error = this.code === 'unauthenticated' ? '' : `, error="${this.code}"`;
    const scope = this.scopes.length === 0 ? '' : `, scope="${this.scopes.join(' ')}"`;
    return `Bearer realm="${realm}"${error}${scope}`;
  }
}
