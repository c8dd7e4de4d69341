import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'ratelimit',
  summary: 'Quotas by route, caller or tenant, shared by Redis; adaptive concurrency limit',
  category: 'reliability',
  requires: ['redis'],
  wiring: {
    ratelimit: 'internal/ratelimit/module.ts',
    sharedRatelimit: 'internal/ratelimit/shared.ts',
  },
});
