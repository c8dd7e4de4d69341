import { setTimeout as sleep } from 'node:timers/promises';
import { current } from '../../../pkg/context/index.ts';
import { unavailable } from '../../../pkg/errors/index.ts';
import { defineModule } from '../app/module.ts';
import { tracing } from '../app/tracing.ts';
import { http } from '../http/module.ts';
import { principalKey } from '../http/requestContext.ts';
import { identity } from '../identity/module.ts';
import { metrics, scrapedGauge } from '../metrics/module.ts';
import { redis } from '../redis/module.ts';
import { config } from './config.ts';
import { Hub } from './hub.ts';
import { createMetrics } from './metrics.ts';
import { Peer, type PeerOptions } from './peer.ts';
import { localRelay, redisRelay } from './relay.ts';
import { Sockets } from './sockets.ts';
import { serveUpgrades } from './upgrade.ts';

/** `Retry-After` of a refused connection in milliseconds. */
const retryAfterMs = 5000;
/** Milliseconds between two looks at the connections that are left. */
const stepMs = 20;

/** WebSocket on the API's port. Modules that require it register messages and topics while they start. */
export const websocket = defineModule({
  name: 'websocket',
  config,
  requires: [http, metrics, tracing, redis, identity],
  async start({ config: settings, log, use }) {
    const { WEBSOCKET_CONNECTIONS_MAX: maxPeers } = settings;
    const api = use(http);
    const { registry, errors } = use(metrics);
    const measured = createMetrics(registry);
    const hub = new Hub({
      retainedBytes: settings.WEBSOCKET_RETAINED_BYTES,
      replayBytes: settings.WEBSOCKET_BUFFER_LIMIT_BYTES / 2,
      metrics: measured,
    });
    const isUp = (up: boolean): void => measured.relayUp.set(up ? 1 : 0);
    isUp(true);
    const { server } = use(redis);
    if (server === undefined)
      log.warn('published messages reach the clients of this process only, until REDIS_URL is set');
    const relay = server === undefined ? localRelay(hub) : await redisRelay(hub, { server, log, isUp });
    const sockets = new Sockets({
      hub,
      relay,
      identity: use(identity),
      log,
      tracing: use(tracing).current,
      errors,
      metrics: measured,
      deadlineMs: settings.WEBSOCKET_DEADLINE_MS,
    });

    const peers = new Set<Peer>();
    let isStopping = false;
    const peerOptions: PeerOptions = {
      settings,
      answer: sockets.answer,
      fault: (code) => measured.faults.inc({ code }),
      closed(peer, code) {
        peers.delete(peer);
        api.server.maxConnections -= 1;
        measured.closed.inc({ code });
        for (const channel of peer.channels) hub.leave(peer, channel);
      },
    };
    serveUpgrades(api, {
      origins: settings.WEBSOCKET_ORIGINS,
      messageLimitBytes: settings.WEBSOCKET_MESSAGE_LIMIT_BYTES,
      admit() {
        if (isStopping) throw unavailable('The service is stopping.', { code: 'stopping', retryAfterMs: 0 });
        if (peers.size < maxPeers) return;
        throw unavailable('There are too many connections.', { code: 'too_many_connections', retryAfterMs });
      },
      connected(socket, stream) {
        peers.add(new Peer(socket, stream, current().get(principalKey), peerOptions));
        // The connection no longer counts for the limit of HTTP.
        api.server.maxConnections += 1;
      },
    });
    api.get('/websocket.json', { schema: { hide: true } }, () => sockets.describe());
    scrapedGauge(registry, 'websocket_connections', 'Connections of this instance', () => peers.size);
    scrapedGauge(registry, 'websocket_connections_limit', 'WEBSOCKET_CONNECTIONS_MAX', () => maxPeers);

    const cutOff = (): void => {
      for (const peer of peers) peer.terminate();
    };
    return {
      value: sockets,
      /** Closes connections one after another: not all clients reconnect at once. */
      async drain(deadline) {
        isStopping = true;
        const pauseMs = settings.WEBSOCKET_DRAIN_MS / peers.size;
        for (const [index, peer] of [...peers].entries()) setTimeout(() => void peer.leave(), index * pauseMs).unref();
        while (peers.size > 0 && !deadline.aborted) await sleep(stepMs);
        cutOff();
      },
      async stop() {
        cutOff();
        await relay.stop();
      },
    };
  },
});
