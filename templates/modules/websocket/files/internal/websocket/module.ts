import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { telemetry } from '../telemetry/module.ts';
import { config } from './config.ts';
import { describeMessages } from './document.ts';
import { drain } from './drain.ts';
import { heartbeat } from './heartbeat.ts';
import { Server } from './server.ts';
import { LocalRelay } from './relay.ts';

/** WebSocket on the API's port: modules that require it register their messages and topics while they start. */
export const websocket = defineModule({
  name: 'websocket',
  config,
  requires: [http, metrics, telemetry],
  async start({ config: settings, log, use }) {
    const api = use(http);
    const server = await Server.open({
      settings,
      log,
      http: api,
      metrics: use(metrics),
      tracing: use(telemetry),
      relay: new LocalRelay(),
    });
    api.get('/websocket.json', { schema: { hide: true } }, () => describeMessages(server.sockets));
    const stopHeartbeat = heartbeat(server.peers, {
      everyMs: settings.WEBSOCKET_HEARTBEAT_MS,
      timeoutMs: settings.WEBSOCKET_HEARTBEAT_TIMEOUT_MS,
      dead: () => server.metrics.dead.inc(),
    });
    return {
      value: server.sockets,
      drain(signal) {
        server.refuse();
        return drain(server.peers, settings.WEBSOCKET_DRAIN_MS, signal);
      },
      async stop() {
        stopHeartbeat();
        for (const peer of server.peers) peer.terminate();
        await server.close();
      },
    };
  },
});
