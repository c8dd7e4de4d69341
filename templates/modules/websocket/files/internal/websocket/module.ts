import type { Static } from 'typebox';
import { about } from '../app/about.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import type { Logger } from '../log/logger.ts';
import { metrics } from '../metrics/module.ts';
import { telemetry } from '../telemetry/module.ts';
import { config } from './config.ts';
import { describeMessages } from './document.ts';
import { drain } from './drain.ts';
import { heartbeat } from './heartbeat.ts';
import { type WebSocketMetrics, createMetrics } from './metrics.ts';
import { LocalRelay, type Relay } from './relay.ts';
import { Server } from './server.ts';

/** WebSocket on the API's port: modules that require it register their messages and topics while they start. */
export const websocket = defineModule({
  name: 'websocket',
  config,
  requires: [http, metrics, telemetry],
  async start({ config: settings, log, signal, use }) {
    const api = use(http);
    const measured = createMetrics(use(metrics).registry);
    const relay = await openRelay(settings, measured, log, signal);
    const server = await Server.open({
      settings,
      log,
      http: api,
      metrics: use(metrics),
      measured,
      tracing: use(telemetry),
      relay,
    });
    api.get('/websocket.json', { schema: { hide: true } }, () => describeMessages(server.sockets));
    const stopHeartbeat = heartbeat(server.peers, {
      everyMs: settings.WEBSOCKET_HEARTBEAT_MS,
      timeoutMs: settings.WEBSOCKET_HEARTBEAT_TIMEOUT_MS,
      dead: () => measured.dead.inc(),
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

async function openRelay(
  settings: Static<typeof config>,
  measured: WebSocketMetrics,
  log: Logger,
  signal: AbortSignal,
): Promise<Relay> {
  const { WEBSOCKET_REDIS_URL: url, WEBSOCKET_REDIS_LENGTH: length } = settings;
  measured.relayUp.set(1);
  if (url === '') {
    log.warn('what is published reaches the clients of this process only, and ends with it (set WEBSOCKET_REDIS_URL)');
    return new LocalRelay();
  }
  // Takes a while to load: who has no Redis does without.
  const { RedisRelay } = await import('./redisRelay.ts');
  const isUp = (up: boolean): void => measured.relayUp.set(up ? 1 : 0);
  return RedisRelay.open({ url, stream: `${about.name}:websocket`, length, log, isUp }, signal);
}
