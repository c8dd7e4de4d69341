import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'ratelimit',
  summary: 'Quotas by route, caller or tenant, shared by Redis; adaptive concurrency limit',
  category: 'reliability',
  requires: ['openapi', 'redis'],
  tryIt: {
    trials: [
      {
        shows: 'See how many requests the service handles at the same time; the limit follows their latency',
        shell: 'curl -s localhost:9090/metrics | grep ^ratelimit_concurrency_limit',
        prints: 'ratelimit_concurrency_limit',
      },
    ],
  },
  wiring: {
    ratelimit: 'internal/platform/ratelimit/module.ts',
    sharedRatelimit: 'internal/platform/ratelimit/shared.ts',
  },
  platformTests: ['internal/platform/ratelimit/testing.ts'],
  renamed: {
    'internal/ratelimit/': 'internal/platform/ratelimit/',
    'docs/runbooks/ratelimit-refusals.md': 'docs/runbooks/ratelimit.md',
    'docs/runbooks/ratelimit-not-shared.md': 'docs/runbooks/ratelimit.md',
    'docs/runbooks/ratelimit-shedding.md': 'docs/runbooks/ratelimit.md',
  },
});
