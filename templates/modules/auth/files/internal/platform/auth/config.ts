import { Type } from 'typebox';

const algorithm = '(RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|Ed25519)';

/** Settings of authentication; the keys are environment variables. */
export const config = Type.Object({
  AUTH_ISSUER: Type.String({
    default: '',
    description:
      'The issuer of the tokens (claim iss); required in production, elsewhere a local issuer is the default',
    examples: ['https://login.example.com/'],
  }),
  AUTH_AUDIENCE: Type.String({
    default: '',
    description: 'The name of this API in tokens (claim aud)',
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
    description: 'The public keys themselves, as JSON, instead of AUTH_JWKS_URL',
    examples: ['{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"..."}]}'],
  }),
  AUTH_ALGORITHMS: Type.String({
    default: 'RS256,ES256',
    pattern: `^${algorithm}(,${algorithm})*$`,
    description: 'Accepted signature algorithms; asymmetric ones only',
    examples: ['RS256,ES256'],
  }),
  AUTH_JWT_TYPE: Type.String({
    default: '',
    description: 'Header typ that a token must have, at+jwt in RFC 9068; when empty any',
    examples: ['at+jwt'],
  }),
  AUTH_SCOPE_CLAIM: Type.String({
    default: 'scope',
    description: 'Claim with the scopes, as text with spaces or as an array; a dot leads into an object',
    examples: ['scope', 'scp'],
  }),
  AUTH_ROLES_CLAIM: Type.String({
    default: 'roles',
    description: 'Claim with the roles, as text with spaces or as an array; a dot leads into an object',
    examples: ['roles', 'realm_access.roles'],
  }),
  AUTH_DEVELOPMENT_DIR: Type.String({
    default: '.cache/auth',
    description: 'Folder with the key of the local issuer; not used in production',
    examples: ['.cache/auth'],
  }),
});
