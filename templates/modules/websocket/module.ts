import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'websocket',
  summary: 'WebSocket: topics, targeted push, acknowledgements, resume; and its client',
  category: 'api',
  requires: ['redis'],
  dependencies: ['ws'],
  devDependencies: ['@types/ws'],
  scripts: { messages: 'node scripts/messages.ts' },
  wiring: { websocket: 'internal/websocket/module.ts' },
  ownership: { seed: ['api/websocket.json'] },
});
