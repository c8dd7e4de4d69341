import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'auth',
  summary: 'Bearer tokens (JWT) with scopes and roles, from a local issuer until AUTH_ISSUER is set',
  category: 'security',
  requires: ['identity', 'openapi'],
  dependencies: ['jose'],
  scripts: { token: 'node --import=./scripts/env.ts cmd/token/main.ts' },
  tryIt: {
    header: 'authorization: Bearer $TOKEN',
    trials: [
      {
        shows: 'Get a token from the local issuer, which is for development',
        shell: 'TOKEN=$({run} --silent token)\necho $TOKEN',
        prints: 'eyJ',
      },
      {
        shows: 'A request without a token is rejected',
        shell: 'curl -s -i localhost:8080{path}',
        prints: '401 Unauthorized',
      },
    ],
  },
  wiring: { auth: 'internal/platform/auth/module.ts' },
  platformTests: ['internal/platform/auth/testing.ts'],
  agentRules: [
    'Each route requires a token unless it is declared public. A route declares the scopes and roles that it needs; the routes of a resource `orders` need `orders:read` or `orders:write` (`docs/auth.md`).',
  ],
  next: {
    added: [
      "callers need a bearer token for each route, also for those that exist already; a route with auth: 'public' needs none",
      'callers of a resource need its scopes, for example orders:read and orders:write',
      'a production service starts only with AUTH_ISSUER, AUTH_AUDIENCE and the keys of the issuer; `{run} --silent token` makes a token for development',
    ],
    removed: ['callers need no token any more: each route is open to everybody who reaches the service'],
  },
  renamed: {
    'internal/auth/keys.ts': 'internal/platform/auth/keys.ts',
    'internal/auth/remoteKeys.ts': 'internal/platform/auth/keys.ts',
    'internal/auth/remoteKeys.test.ts': 'internal/platform/auth/keys.test.ts',
    'internal/auth/denial.ts': 'internal/platform/auth/verify.ts',
    'internal/auth/principal.ts': 'internal/platform/auth/verify.ts',
    'internal/auth/verify.ts': 'internal/platform/auth/verify.ts',
    'internal/auth/bearer.ts': 'internal/platform/auth/guard.ts',
    'internal/auth/guard.ts': 'internal/platform/auth/guard.ts',
    'internal/auth/development.ts': 'internal/platform/auth/development.ts',
    'internal/auth/command.ts': 'internal/platform/auth/development.ts',
    'internal/auth/policy.ts': 'internal/platform/auth/needs.ts',
    'internal/auth/openapi.ts': 'internal/platform/auth/needs.ts',
    'internal/auth/module.ts': 'internal/platform/auth/module.ts',
    'internal/auth/trust.ts': 'internal/platform/auth/module.ts',
    'internal/auth/metrics.ts': 'internal/platform/auth/module.ts',
    'internal/auth/': 'internal/platform/auth/',
    'docs/runbooks/auth-keys.md': 'docs/runbooks/auth.md',
    'docs/runbooks/auth-denials.md': 'docs/runbooks/auth.md',
  },
});
