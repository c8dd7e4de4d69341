import { Type } from 'typebox';

const algorithm = '(RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|Ed25519)';

/** Settings of authentication; the keys are environment variables. */
export const config = Type.Object({
  AUTH_ISSUER: Type.String({
    default: '',
    description: 'Who issues the tokens (claim iss); required in production, elsewhere a local issuer stands in',
    examples: ['https://login.example.com/'],
  }),
  AUTH_AUDIENCE: Type.String({
    default: '',
    description: 'Whom the tokens are meant for (claim aud): this API',
    examples: ['https://orders.example.com'],
  }),
  AUTH_JWKS_URL: Type.String({
    default: '',
    pattern: '^(https?://.+)?$',
    description: 'Where the issuer publishes its keys (RFC 7517); https in production',
    examples: ['https://login.example.com/.well-known/jwks.json'],
  }),
  AUTH_JWKS: Type.String({
    default: '',
    description: 'The public keys themselves, as JSON, in place of AUTH_JWKS_URL',
    examples: ['{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"..."}]}'],
  }),
  AUTH_JWKS_FILE: Type.String({
    default: '',
    description: 'A file with the public keys, in place of AUTH_JWKS_URL; SIGHUP has it read anew',
    examples: ['configs/jwks.json'],
  }),
  AUTH_ALGORITHMS: Type.String({
    default: 'RS256,ES256',
    pattern: `^${algorithm}(,${algorithm})*$`,
    description: 'Signature algorithms that are accepted, whatever a token says; asymmetric ones only',
    examples: ['RS256,ES256'],
  }),
  AUTH_JWT_TYPE: Type.String({
    default: '',
    description: 'Header typ that a token must have, at+jwt by RFC 9068; when empty any',
    examples: ['at+jwt'],
  }),
  AUTH_JWT_LIMIT_BYTES: Type.Integer({
    minimum: 256,
    default: 8192,
    description: 'A longer token is refused before it is looked at',
    examples: [8192],
  }),
  AUTH_REQUIRED_CLAIMS: Type.String({
    default: '',
    description: 'Claims that a token must have besides iss, aud, sub and exp, with commas between them',
    examples: ['client_id,jti'],
  }),
  AUTH_SCOPE_CLAIM: Type.String({
    default: 'scope',
    description: 'Claim that lists the scopes, as text with spaces or as an array; a dot leads into an object',
    examples: ['scope', 'scp'],
  }),
  AUTH_ROLES_CLAIM: Type.String({
    default: 'roles',
    description: 'Claim that lists the roles, as text with spaces or as an array; a dot leads into an object',
    examples: ['roles', 'realm_access.roles'],
  }),
  AUTH_CLOCK_SKEW_SECONDS: Type.Integer({
    minimum: 0,
    maximum: 300,
    default: 30,
    description: 'Seconds by which the clocks of the issuer and of this service may differ',
    examples: [30],
  }),
  AUTH_JWKS_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 3000,
    description: 'Milliseconds that the issuer may take to send its keys',
    examples: [3000],
  }),
  AUTH_JWKS_REFRESH_MS: Type.Integer({
    minimum: 1000,
    default: 300_000,
    description: 'Milliseconds between two fetches of the keys: one that the issuer removed is accepted for so long',
    examples: [300_000],
  }),
  AUTH_JWKS_COOLDOWN_MS: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: 'Milliseconds after a fetch in which neither a token with an unknown key nor a failure causes another',
    examples: [10_000],
  }),
  AUTH_JWKS_STALE_MS: Type.Integer({
    minimum: 1000,
    default: 86_400_000,
    description: 'Milliseconds for which the last keys are good while the issuer cannot be reached',
    examples: [86_400_000],
  }),
  AUTH_AUDIT_GRANTED: Type.Boolean({
    default: false,
    description: 'Whether a request granted by its scopes or roles is logged too; one that is denied always is',
    examples: [false],
  }),
  AUTH_DEVELOPMENT_DIR: Type.String({
    default: '.cache/auth',
    description: 'Folder of the key of the local issuer; not used in production',
    examples: ['.cache/auth'],
  }),
});
