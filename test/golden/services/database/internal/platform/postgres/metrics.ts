import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** What the pool, the transactions and the health check report. */
export type PostgresMetrics = ReturnType<typeof createMetrics>;

/** What the gauges of the pool read at each scrape. */
export interface PoolCounts {
  readonly inUse: number;
  readonly idle: number;
  readonly waiting: number;
}

const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/**
 * Registers the database's metrics.
 * @param registry where they are scraped from
 * @param counts reads the pool, once a scrape
 * @param max connections the pool may hold
 * @returns the metrics that somebody must tell; the gauges of the pool read it themselves
 */
export function createMetrics(registry: Registry, counts: () => PoolCounts, max: number) {
  const registers = [registry];
  const connections = new Gauge({
    name: 'postgres_pool_connections',
    help: 'Connections of the pool, by what they do',
    labelNames: ['state'],
    registers: [],
    collect() {
      const { inUse, idle } = counts();
      this.set({ state: 'in_use' }, inUse);
      this.set({ state: 'idle' }, idle);
    },
  });
  const waiting = new Gauge({
    name: 'postgres_pool_waiting',
    help: 'Callers that wait for a connection',
    registers: [],
    collect() {
      this.set(counts().waiting);
    },
  });
  registry.registerMetric(connections);
  registry.registerMetric(waiting);
  new Gauge({ name: 'postgres_pool_max_connections', help: 'Connections the pool may hold', registers }).set(max);
  return {
    wait: new Histogram({
      name: 'postgres_pool_wait_seconds',
      help: 'How long callers waited for a connection',
      buckets: seconds,
      registers,
    }),
    checkout: new Histogram({
      name: 'postgres_pool_checkout_seconds',
      help: 'How long connections were held',
      buckets: seconds,
      registers,
    }),
    leaks: new Counter({
      name: 'postgres_pool_leaks_total',
      help: 'Connections held for longer than POSTGRES_CHECKOUT_WARN_MS',
      registers,
    }),
    reclaimed: new Counter({
      name: 'postgres_pool_reclaimed_total',
      help: 'Connections held for longer than POSTGRES_CHECKOUT_MAX_MS, and destroyed',
      registers,
    }),
    exhausted: new Counter({
      name: 'postgres_pool_exhausted_total',
      help: 'Callers that got no connection within POSTGRES_CONNECT_TIMEOUT_MS',
      registers,
    }),
    retries: new Counter({
      name: 'postgres_transaction_retries_total',
      help: 'Transactions run again, by the SQLSTATE that ended the try before',
      labelNames: ['sqlstate'],
      registers,
    }),
    up: new Gauge({ name: 'postgres_up', help: 'Whether the last health check was answered', registers }),
    pending: new Gauge({
      name: 'postgres_migrations_pending',
      help: 'Migrations of this release that the database has not seen',
      registers,
    }),
  };
}
