import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** What gRPC reports. */
export type GrpcMetrics = ReturnType<typeof createMetrics>;

/**
 * Registers the metrics of gRPC.
 * @param registry where they are scraped from
 * @returns the metrics that the server updates
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
  };
}

/**
 * @param registry where they are scraped from
 * @param now what there is, read once a scrape
 */
export function registerGauges(
  registry: Registry,
  now: { readonly connections: number; readonly calls: number },
): void {
  const gauge = ({ name, help, value }: { name: string; help: string; value: () => number }): void => {
    const collect = function collect(this: Gauge): void {
      this.set(value());
    };
    registry.registerMetric(new Gauge({ name, help, registers: [], collect }));
  };
  gauge({ name: 'grpc_server_connections', help: 'Connections that are open', value: () => now.connections });
  gauge({ name: 'grpc_server_calls_in_flight', help: 'Calls that are being answered', value: () => now.calls });
}
