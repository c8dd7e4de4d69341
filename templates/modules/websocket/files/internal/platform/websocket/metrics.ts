import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** Metrics of WebSocket. */
export type WebSocketMetrics = ReturnType<typeof createMetrics>;

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
    closed: counter('websocket_closed_total', 'Connections that ended, by close code', ['code']),
    faults: counter('websocket_faults_total', 'Faults of clients in the protocol, by code', ['code']),
    published: counter('websocket_published_total', 'Published messages that this instance received'),
    delivered: counter(
      'websocket_delivered_total',
      'Published messages that were sent to clients of this instance, counted per client',
    ),
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
