import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import type { Pool } from 'pg';
import { scrapedGauge } from '../metrics/module.ts';

/** The metrics of the pool, the transactions and the health check. */
export type PostgresMetrics = ReturnType<typeof createMetrics>;

/**
 * Registers the metrics of the database.
 * @param registry where they are scraped from
 * @param pool read at each scrape
 * @returns the metrics that other code updates
 */
export function createMetrics(registry: Registry, pool: Pool) {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const connections = new Gauge({
    name: 'postgres_pool_connections',
    help: 'Connections of the pool, by state',
    labelNames: ['state'],
    registers: [],
    collect() {
      this.set({ state: 'in_use' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
    },
  });
  registry.registerMetric(connections);
  scrapedGauge(registry, 'postgres_pool_waiting', 'Callers that wait for a connection', () => pool.waitingCount);
  gauge('postgres_pool_max_connections', 'Max connections of the pool').set(pool.options.max);
  return {
    wait: new Histogram({
      name: 'postgres_pool_wait_seconds',
      help: 'How long callers waited for a connection',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
      registers,
    }),
    exhausted: new Counter({
      name: 'postgres_pool_exhausted_total',
      help: 'Callers that got no connection within POSTGRES_CONNECT_TIMEOUT_MS',
      registers,
    }),
    retries: new Counter({
      name: 'postgres_transaction_retries_total',
      help: 'Transactions that ran again, by the SQLSTATE of the failed attempt',
      labelNames: ['sqlstate'],
      registers,
    }),
    up: gauge('postgres_up', 'Whether the database answered the last health check'),
    readOnly: gauge('postgres_read_only', 'Whether the database refused writes at the last health check'),
    pending: gauge('postgres_migrations_pending', 'Migrations of this release that the database does not have'),
  };
}
