import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** What gRPC reports. */
export type GrpcMetrics = ReturnType<typeof createMetrics>;

/** What is asked at each scrape. */
export interface Gauges {
  readonly connections: () => number;
  readonly calls: () => number;
}

/**
 * Registers the metrics of gRPC.
 * @param registry where they are scraped from
 * @returns the metrics that somebody must tell
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    calls: new Histogram({
      name: 'grpc_server_call_duration_seconds',
      help: 'Duration of calls by gRPC in seconds, by method and status',
      labelNames: ['method', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    refused: new Counter({
      name: 'grpc_server_connections_refused_total',
      help: 'Connections that were closed at once, by the limit that they were beyond',
      labelNames: ['limit'],
      registers,
    }),
    closed: new Counter({
      name: 'grpc_server_connections_closed_total',
      help: 'Connections that were closed for what their client did, or did not',
      labelNames: ['reason'],
      registers,
    }),
  };
}

/**
 * @param registry where they are scraped from
 * @param gauges read once a scrape
 */
export function registerGauges(registry: Registry, { connections, calls }: Gauges): void {
  const open = new Gauge({
    name: 'grpc_server_connections',
    help: 'Connections that are open',
    registers: [],
    collect() {
      this.set(connections());
    },
  });
  const inFlight = new Gauge({
    name: 'grpc_server_calls_in_flight',
    help: 'Calls that are being answered',
    registers: [],
    collect() {
      this.set(calls());
    },
  });
  registry.registerMetric(open);
  registry.registerMetric(inFlight);
}
