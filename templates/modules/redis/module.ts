import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'redis',
  summary: 'One connection to Redis for all modules that use it; none until REDIS_URL is set',
  category: 'data',
  dependencies: ['@redis/client'],
  wiring: { redis: 'internal/platform/redis/module.ts' },
  ci: {
    additions: {
      integration: {
        services: {
          redis: { image: 'redis:8-alpine', port: 6379, env: {}, healthCommand: 'redis-cli ping' },
        },
        env: { REDIS_URL: 'redis://{redis.host}:6379' },
      },
    },
  },
  platformTests: ['internal/platform/redis/testing.ts'],
  next: {
    added: ['set REDIS_URL; without it, data of its modules is in the memory of each process'],
    removed: ['the keys stay in Redis until they expire'],
  },
  renamed: {
    'internal/redis/connection.ts': 'internal/platform/redis/connection.ts',
    'internal/redis/errors.ts': 'internal/platform/redis/connection.ts',
    'internal/platform/redis/supervision.ts': 'internal/platform/redis/connection.ts',
    'internal/platform/redis/metrics.ts': 'internal/platform/redis/connection.ts',
    'internal/redis/': 'internal/platform/redis/',
    'docs/runbooks/redis-down.md': 'docs/runbooks/redis.md',
    'docs/runbooks/redis-slow.md': 'docs/runbooks/redis.md',
  },
});
