import { Counter, Gauge, type Registry } from '@prometheus-io/client';

/** What is known of the workers. */
export type ClusterMetrics = ReturnType<typeof createMetrics>;

/**
 * @param registry where they are scraped from
 * @returns the metrics that the supervisor tells
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    workers: new Gauge({ name: 'cluster_workers', help: 'Workers that serve', registers }),
    exits: new Counter({
      name: 'cluster_worker_exits_total',
      help: 'Workers that ended; expected are those that were told to',
      labelNames: ['expected'],
      registers,
    }),
  };
}
