import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'ratelimit',
  summary: 'Quotas by route and caller, shared by Redis',
  category: 'reliability',
  requires: ['redis'],
  tryIt: {
    trials: [
      {
        shows: 'See what the quotas decided; `RATELIMIT_QUOTA` sets one for all routes',
        shell: 'curl -s localhost:9090/metrics | grep ratelimit_decisions_total',
        prints: 'ratelimit_decisions_total',
      },
    ],
  },
  wiring: { ratelimit: 'internal/platform/ratelimit/module.ts' },
  platformTests: ['internal/platform/ratelimit/testing.ts'],
  next: {
    added: [
      'callers above a quota get 429 with Retry-After; RATELIMIT_QUOTA sets it for routes without their own',
      'a caller may change each resource 600 times in a window of RATELIMIT_WINDOW_SECONDS; RATELIMIT_WRITE_QUOTA sets it',
      'with several processes set REDIS_URL, so that they count together',
    ],
    removed: ['callers have no quota any more'],
  },
  renamed: {
    'internal/ratelimit/limiter.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/store.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/script.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/memoryStore.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/policy.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/keys.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/openapi.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/quotas.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/headers.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/redisStore.ts': 'internal/platform/ratelimit/redisStore.ts',
    'internal/ratelimit/shared.ts': 'internal/platform/ratelimit/redisStore.ts',
    'internal/ratelimit/rules.ts': 'internal/platform/ratelimit/module.ts',
    'internal/ratelimit/module.ts': 'internal/platform/ratelimit/module.ts',
    'internal/ratelimit/rules.test.ts': 'internal/platform/ratelimit/module.test.ts',
    'internal/ratelimit/module.test.ts': 'internal/platform/ratelimit/module.test.ts',
    'internal/platform/ratelimit/policy.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/platform/ratelimit/metrics.ts': 'internal/platform/ratelimit/module.ts',
    'internal/ratelimit/': 'internal/platform/ratelimit/',
    'docs/runbooks/ratelimit-refusals.md': 'docs/runbooks/ratelimit.md',
    'docs/runbooks/ratelimit-not-shared.md': 'docs/runbooks/ratelimit.md',
  },
});
