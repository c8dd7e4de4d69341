import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'websocket',
  summary: 'WebSocket with envelope, topics, targeted push, acknowledgements and resume; a client for it',
  category: 'api',
  dependencies: ['redis', 'ws'],
  devDependencies: ['@types/ws'],
  scripts: { messages: 'node scripts/messages.ts' },
  wiring: { websocket: 'internal/websocket/module.ts' },
  ownership: { seed: ['api/websocket.json'] },
  ci: {
    additions: {
      integration: {
        services: {
          'websocket-redis': { image: 'redis:8-alpine', port: 6379, healthCommand: 'redis-cli ping' },
        },
        env: { WEBSOCKET_REDIS_URL: 'redis://{websocket-redis.host}:6379' },
      },
    },
  },
});
