import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'auth',
  summary: 'Bearer tokens (JWT) with scopes and roles, from a local issuer until AUTH_ISSUER is set',
  category: 'security',
  dependencies: ['jose'],
  scripts: { token: 'node --import=./scripts/env.ts cmd/token/main.ts' },
  wiring: { auth: 'internal/auth/module.ts' },
});
