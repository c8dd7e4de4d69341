import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { current } from '../../../pkg/context/index.ts';
import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { http } from '../http/module.ts';
import { principalKey } from '../http/requestContext.ts';
import { identity } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { type Redis, redis } from '../redis/module.ts';
import { Channels } from './channels.ts';
import { config } from './config.ts';
import { Connections } from './connections.ts';
import { Dispatch } from './dispatch.ts';
import { createMetrics, registerLevels } from './metrics.ts';
import { Peer, SendBudget } from './peer.ts';
import { LocalRelay, RedisRelay, type RedisRelayOptions, type Relay } from './relay.ts';
import { Sessions } from './sessions.ts';
import { Sockets } from './sockets.ts';
import { serveUpgrades } from './upgrade.ts';

/** WebSocket on the API's port. Modules that require it register messages and topics while they start. */
export const websocket = defineModule({
  name: 'websocket',
  config,
  requires: [http, metrics, tracing, redis, identity],
  async start({ config: settings, log, use }) {
    const api = use(http);
    const { registry, errors } = use(metrics);
    const measured = createMetrics(registry);
    measured.relayUp.set(1);
    const relay = await openRelay(use(redis), {
      length: settings.WEBSOCKET_STREAM_LENGTH,
      log,
      isUp: (up) => measured.relayUp.set(up ? 1 : 0),
    });
    const sessions = new Sessions(settings);
    const channels = new Channels(settings, measured, relay.isForeign, use(identity));
    const deadlineMs = settings.WEBSOCKET_DEADLINE_MS;
    const { current: traces } = use(tracing);
    const dispatch = new Dispatch({ log, tracing: traces, errors, metrics: measured, sessions, deadlineMs });
    const sockets = new Sockets({ dispatch, channels, sessions, relay, settings });
    const connections = new Connections(settings);
    const peerOptions = {
      settings,
      budget: new SendBudget(settings.WEBSOCKET_BUFFERS_BYTES_MAX),
      metrics: measured,
      receive: sockets.receive,
      closed(peer: Peer, code: number) {
        connections.remove(peer);
        api.server.maxConnections -= 1;
        measured.closed.inc({ code });
        sockets.closed(peer);
      },
    };
    await relay.follow(channels);
    serveUpgrades(api, {
      path: settings.WEBSOCKET_PATH,
      origins: settings.WEBSOCKET_ORIGINS,
      messageLimitBytes: settings.WEBSOCKET_MESSAGE_LIMIT_BYTES,
      admit: (address) => connections.admit(address, current().get(principalKey)?.subject),
      refused: (reason) => measured.refused.inc({ reason }),
      connected(socket: WebSocket, stream: Duplex, address: string) {
        connections.add(new Peer(socket, stream, { caller: current().get(principalKey), address }, peerOptions));
        // The connection no longer counts for the limits of HTTP.
        api.server.maxConnections += 1;
      },
    });
    api.get('/websocket.json', { schema: { hide: true } }, () => sockets.describe());
    registerLevels(registry, {
      connections: () => connections.peers.size,
      connectionsLimit: () => settings.WEBSOCKET_CONNECTIONS_MAX,
      sessionsWaiting: () => sessions.waiting,
      sessionBytes: () => sessions.bytes,
      bufferedBytes: () => [...connections.peers].reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
    });
    const stopHeartbeat = connections.startHeartbeat(() => sessions.sweep());
    return {
      value: sockets,
      drain: (deadline) => connections.drain(deadline),
      async stop() {
        stopHeartbeat();
        for (const peer of connections.peers) peer.terminate();
        await relay.stop();
      },
    };
  },
});

async function openRelay({ server }: Redis, options: Omit<RedisRelayOptions, 'server' | 'reader'>): Promise<Relay> {
  if (server !== undefined) return new RedisRelay({ ...options, server, reader: await server.connect() });
  options.log.warn('published messages reach the clients of this process only, until REDIS_URL is set');
  return new LocalRelay();
}
