import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** What WebSocket reports. */
export type WebSocketMetrics = ReturnType<typeof createMetrics>;

/** What is read once a scrape. */
export interface Levels {
  readonly connections: () => number;
  readonly sessions: () => number;
  readonly sessionBytes: () => number;
  readonly connectedBytes: () => number;
  readonly bufferedBytes: () => number;
}

/**
 * Registers the metrics of WebSocket.
 * @param registry where they are scraped from
 * @returns the metrics that somebody must tell
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    refused: new Counter({
      name: 'websocket_upgrades_refused_total',
      help: 'Connections that were not upgraded, by reason',
      labelNames: ['reason'],
      registers,
    }),
    closed: new Counter({
      name: 'websocket_closed_total',
      help: 'Connections that ended, by close code',
      labelNames: ['code'],
      registers,
    }),
    handled: new Histogram({
      name: 'websocket_message_duration_seconds',
      help: 'Seconds that messages of clients took to be handled, by type and outcome',
      labelNames: ['type', 'outcome'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
      registers,
    }),
    repeated: new Counter({
      name: 'websocket_repeated_messages_total',
      help: 'Messages that came again after a reconnect, and were not handled a second time',
      registers,
    }),
    faults: new Counter({
      name: 'websocket_faults_total',
      help: 'What clients did wrong in the protocol, by code',
      labelNames: ['code'],
      registers,
    }),
    published: new Counter({
      name: 'websocket_published_total',
      help: 'Messages that were published and came by here',
      registers,
    }),
    delivered: new Counter({
      name: 'websocket_delivered_total',
      help: 'Published messages given to clients of this instance, each client counted',
      registers,
    }),
    dropped: new Counter({
      name: 'websocket_dropped_total',
      help: 'Published messages that a slow client lost, by WEBSOCKET_SLOW_READER=drop-oldest',
      registers,
    }),
    relayUp: new Gauge({
      name: 'websocket_relay_up',
      help: 'Whether what is published can be read from the relay: 1 or 0',
      registers,
    }),
    dead: new Counter({
      name: 'websocket_dead_peers_total',
      help: 'Clients that gave no sign of life and were removed',
      registers,
    }),
  };
}

/**
 * Registers what is read once a scrape.
 * @param registry where it is scraped from
 * @param levels reads it
 * @param connectionsMax setting, for alerts to compare with
 */
export function registerLevels(registry: Registry, levels: Levels, connectionsMax: number): void {
  const gauges = [
    { name: 'websocket_connections', help: 'Connections of this instance', read: levels.connections },
    { name: 'websocket_connections_limit', help: 'WEBSOCKET_CONNECTIONS_MAX', read: () => connectionsMax },
    {
      name: 'websocket_sessions_waiting',
      help: 'Sessions whose client is gone and may come back',
      read: levels.sessions,
    },
    {
      name: 'websocket_sessions_waiting_bytes',
      help: 'About what those sessions keep',
      read: levels.sessionBytes,
    },
    {
      name: 'websocket_sessions_connected_bytes',
      help: 'About what the sessions of connected clients keep',
      read: levels.connectedBytes,
    },
    {
      name: 'websocket_buffered_bytes',
      help: 'Bytes that wait for clients to read them',
      read: levels.bufferedBytes,
    },
  ];
  for (const { name, help, read } of gauges) {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    registry.registerMetric(gauge);
  }
}
