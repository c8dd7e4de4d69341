import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'websocket',
  summary: 'WebSocket: topics, targeted push, acknowledgements, resume; and its client',
  category: 'api',
  requires: ['redis'],
  dependencies: ['ws'],
  devDependencies: ['@types/ws'],
  scripts: { messages: 'node scripts/messages.ts' },
  tryIt: {
    trials: [
      {
        shows:
          'A request becomes a WebSocket; curl leaves after a second. What speaks through it is a client: [WebSocket](websocket.md#the-client)',
        shell: [
          `{curl} -i --max-time 1 localhost:8080/ws -H 'connection: upgrade' -H 'upgrade: websocket' \\`,
          `  -H 'sec-websocket-version: 13' -H 'sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==' -H 'sec-websocket-protocol: envelope.v1'`,
        ].join('\n'),
        prints: '101 Switching Protocols',
      },
    ],
  },
  wiring: { websocket: 'internal/websocket/module.ts' },
  ownership: { seed: ['api/websocket.json'] },
});
