import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { http } from '../http/module.ts';
import { metrics } from '../metrics/module.ts';
import { type Redis, redis } from '../redis/module.ts';
import { config } from './config.ts';
import { describeMessages } from './document.ts';
import { drain } from './connections/drain.ts';
import { heartbeat } from './connections/heartbeat.ts';
import { createMetrics } from './metrics.ts';
import { RedisRelay, type RedisRelayOptions } from './channels/redisRelay.ts';
import { LocalRelay, type Relay } from './channels/relay.ts';
import { Server } from './server.ts';

/** WebSocket on the API's port: modules that require it register their messages and topics while they start. */
export const websocket = defineModule({
  name: 'websocket',
  config,
  requires: [http, metrics, tracing, redis],
  async start({ config: settings, log, use }) {
    const api = use(http);
    const measured = createMetrics(use(metrics).registry);
    measured.relayUp.set(1);
    const relay = await openRelay(use(redis), {
      length: settings.WEBSOCKET_STREAM_LENGTH,
      log,
      isUp: (up) => measured.relayUp.set(up ? 1 : 0),
    });
    const server = await Server.open({
      settings,
      log,
      http: api,
      metrics: use(metrics),
      measured,
      tracing: use(tracing).current,
      relay,
    });
    api.get('/websocket.json', { schema: { hide: true } }, () => describeMessages(server.sockets));
    const stopHeartbeat = heartbeat(server.peers, {
      everyMs: settings.WEBSOCKET_HEARTBEAT_MS,
      timeoutMs: settings.WEBSOCKET_HEARTBEAT_TIMEOUT_MS,
      dead: () => measured.dead.inc(),
      looked: () => server.sweep(),
    });
    return {
      value: server.sockets,
      drain(deadline) {
        server.refuse();
        return drain(server.peers, settings.WEBSOCKET_DRAIN_MS, deadline);
      },
      async stop() {
        stopHeartbeat();
        for (const peer of server.peers) peer.terminate();
        await server.close();
      },
    };
  },
});

async function openRelay({ server }: Redis, options: Omit<RedisRelayOptions, 'server' | 'reader'>): Promise<Relay> {
  if (server !== undefined) return new RedisRelay({ ...options, server, reader: await server.connect() });
  options.log.warn('what is published reaches the clients of this process only, and ends with it (set REDIS_URL)');
  return new LocalRelay();
}
