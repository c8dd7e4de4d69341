import { setTimeout as sleep } from 'node:timers/promises';
import { Counter } from '@prometheus-io/client';
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
    const { server } = use(redis);
    const hub = new Hub(registry);
    if (server === undefined)
      log.warn('published messages reach the clients of this process only, until REDIS_URL is set');
    const relay = server === undefined ? localRelay(hub) : await redisRelay(hub, server, log);
    const sockets = new Sockets({
      hub,
      relay,
      identity: use(identity),
      log,
      tracing: use(tracing).current,
      registry,
      errors,
      deadlineMs: settings.WEBSOCKET_DEADLINE_MS,
    });

    const peers = new Set<Peer>();
    const closed = new Counter({
      name: 'websocket_closed_total',
      help: 'Connections that ended, by reason',
      labelNames: ['reason'],
      registers: [registry],
    });
    scrapedGauge(registry, 'websocket_connections', 'Connections of this instance', () => peers.size);
    scrapedGauge(registry, 'websocket_connections_limit', 'WEBSOCKET_CONNECTIONS_MAX', () => maxPeers);
    const help = 'Whether published messages can be read: 1 or 0';
    scrapedGauge(registry, 'websocket_relay_up', help, () => Number(relay.isUp));

    const peerOptions: PeerOptions = {
      heartbeatMs: settings.WEBSOCKET_HEARTBEAT_MS,
      perSecond: settings.WEBSOCKET_MESSAGES_PER_SECOND,
      answer: (peer, text) => sockets.answer(peer, text),
      closed(peer, reason) {
        peers.delete(peer);
        api.server.maxConnections -= 1;
        closed.inc({ reason });
        for (const channel of peer.channels) hub.leave(peer, channel);
      },
    };
    let isStopping = false;
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

    const cutOff = (): void => {
      for (const peer of peers) peer.terminate();
    };
    return {
      value: sockets,
      /** Closes connections one after another: not all clients reconnect at once. */
      async drain(deadline) {
        isStopping = true;
        const pauseMs = settings.WEBSOCKET_DRAIN_MS / peers.size;
        for (const [index, peer] of [...peers].entries()) setTimeout(() => peer.leave(), index * pauseMs).unref();
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
