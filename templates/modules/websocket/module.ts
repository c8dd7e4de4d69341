import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'websocket',
  summary: 'WebSocket: topics, targeted push, acknowledgements, resume; and its client',
  category: 'api',
  requires: ['identity', 'redis'],
  dependencies: ['ws'],
  devDependencies: ['@types/ws'],
  scripts: { messages: 'node scripts/messages.ts' },
  tryIt: {
    trials: [
      {
        shows: 'Upgrade a request to a WebSocket; curl disconnects after one second',
        shell: [
          `{curl} -i --max-time 1 localhost:8080/ws -H 'connection: upgrade' -H 'upgrade: websocket' \\`,
          `  -H 'sec-websocket-version: 13' -H 'sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==' -H 'sec-websocket-protocol: envelope.v1'`,
        ].join('\n'),
        prints: '101 Switching Protocols',
      },
      {
        shows: 'Send a message with the [client](websocket.md#the-client) of the service and get a reply',
        // By the service's own Node, where it has one: that of the machine may know no WebSocket. Without module auth TOKEN is empty.
        shell: [
          `PATH=node_modules/.bin:$PATH TOKEN=$TOKEN node --input-type=module <<'EOF'`,
          `import { Client } from './dist/pkg/client/websocket/index.js';`,
          `const client = new Client({ url: 'ws://localhost:8080/ws', token: () => process.env.TOKEN });`,
          'client.connect();',
          `console.log('answered', await client.request({ type: 'ping', version: '1.0', payload: {} }));`,
          'client.close();',
          'EOF',
        ].join('\n'),
        prints: 'answered {}',
      },
    ],
  },
  wiring: { websocket: 'internal/platform/websocket/module.ts' },
  ownership: { seed: ['api/websocket.json'] },
  platformTests: ['internal/platform/websocket/testing.ts'],
  renamed: {
    'internal/websocket/': 'internal/platform/websocket/',
    'docs/runbooks/websocket-relay-down.md': 'docs/runbooks/websocket.md',
    'docs/runbooks/websocket-connections.md': 'docs/runbooks/websocket.md',
    'docs/runbooks/websocket-slow-readers.md': 'docs/runbooks/websocket.md',
    'docs/runbooks/websocket-faults.md': 'docs/runbooks/websocket.md',
  },
});
