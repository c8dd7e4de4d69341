import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import { scrapedGauge } from '../metrics/module.ts';

/** Metrics of WebSocket. */
export type WebSocketMetrics = ReturnType<typeof createMetrics>;

/** Values that are read at each scrape. */
export interface Levels {
  readonly connections: () => number;
  readonly connectionsLimit: () => number;
  readonly sessionsWaiting: () => number;
  readonly sessionBytes: () => number;
  readonly bufferedBytes: () => number;
}

/**
 * Registers the metrics of WebSocket.
 * @param registry where they are scraped from
 * @returns the metrics that the module updates
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  return {
    refused: counter('websocket_upgrades_refused_total', 'Connections that were not upgraded, by reason', ['reason']),
    closed: counter('websocket_closed_total', 'Connections that ended, by close code', ['code']),
    repeated: counter(
      'websocket_repeated_messages_total',
      'Messages that came again and were not handled a second time',
    ),
    faults: counter('websocket_faults_total', 'Faults of clients in the protocol, by code', ['code']),
    published: counter('websocket_published_total', 'Published messages that this instance received'),
    delivered: counter(
      'websocket_delivered_total',
      'Published messages that were sent to clients of this instance, counted per client',
    ),
    dead: counter('websocket_dead_peers_total', 'Clients that did not answer a ping and were disconnected'),
    handled: new Histogram({
      name: 'websocket_message_duration_seconds',
      help: 'Seconds that messages of clients took to be handled, by type and outcome',
      labelNames: ['type', 'outcome'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
      registers,
    }),
    relayUp: new Gauge({
      name: 'websocket_relay_up',
      help: 'Whether published messages can be read from Redis: 1 or 0',
      registers,
    }),
  };
}

/**
 * Registers metrics that are read at each scrape.
 * @param registry where they are scraped from
 * @param levels reads the values
 */
export function registerLevels(registry: Registry, levels: Levels): void {
  scrapedGauge(registry, 'websocket_connections', 'Connections of this instance', levels.connections);
  scrapedGauge(registry, 'websocket_connections_limit', 'WEBSOCKET_CONNECTIONS_MAX', levels.connectionsLimit);
  scrapedGauge(
    registry,
    'websocket_sessions_waiting',
    'Sessions whose client is gone and may come back',
    levels.sessionsWaiting,
  );
  scrapedGauge(
    registry,
    'websocket_sessions_bytes',
    'Approximate memory of the answers that are kept',
    levels.sessionBytes,
  );
  scrapedGauge(registry, 'websocket_buffered_bytes', 'Bytes that wait for clients to read them', levels.bufferedBytes);
}
