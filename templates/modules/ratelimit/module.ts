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
    sharedRatelimit: 'internal/platform/ratelimit/redisStore.ts',
  },
  platformTests: ['internal/platform/ratelimit/testing.ts'],
  next: {
    added: [
      'callers above a quota get 429, and 503 while the service is overloaded, both with Retry-After; RATELIMIT_QUOTA sets it for routes without their own',
      'with several processes set REDIS_URL, so that they count together',
    ],
    removed: ['callers have no quota any more'],
  },
  renamed: {
    'internal/ratelimit/limiter.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/store.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/script.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/memoryStore.ts': 'internal/platform/ratelimit/limiter.ts',
    'internal/ratelimit/policy.ts': 'internal/platform/ratelimit/policy.ts',
    'internal/ratelimit/keys.ts': 'internal/platform/ratelimit/policy.ts',
    'internal/ratelimit/openapi.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/quotas.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/headers.ts': 'internal/platform/ratelimit/quotas.ts',
    'internal/ratelimit/concurrency.ts': 'internal/platform/ratelimit/concurrency.ts',
    'internal/ratelimit/gradient.ts': 'internal/platform/ratelimit/concurrency.ts',
    'internal/ratelimit/shedding.ts': 'internal/platform/ratelimit/concurrency.ts',
    'internal/ratelimit/gradient.test.ts': 'internal/platform/ratelimit/concurrency.test.ts',
    'internal/ratelimit/shedding.test.ts': 'internal/platform/ratelimit/concurrency.test.ts',
    'internal/ratelimit/redisStore.ts': 'internal/platform/ratelimit/redisStore.ts',
    'internal/ratelimit/shared.ts': 'internal/platform/ratelimit/redisStore.ts',
    'internal/ratelimit/rules.ts': 'internal/platform/ratelimit/module.ts',
    'internal/ratelimit/module.ts': 'internal/platform/ratelimit/module.ts',
    'internal/ratelimit/rules.test.ts': 'internal/platform/ratelimit/module.test.ts',
    'internal/ratelimit/module.test.ts': 'internal/platform/ratelimit/module.test.ts',
    'internal/ratelimit/': 'internal/platform/ratelimit/',
    'docs/runbooks/ratelimit-refusals.md': 'docs/runbooks/ratelimit.md',
    'docs/runbooks/ratelimit-not-shared.md': 'docs/runbooks/ratelimit.md',
    'docs/runbooks/ratelimit-shedding.md': 'docs/runbooks/ratelimit.md',
  },
});
