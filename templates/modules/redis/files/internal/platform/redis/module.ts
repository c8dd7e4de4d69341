import { about } from '../app/about.ts';
import { type Running, defineModule } from '../app/module.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { type RedisClient, closeConnection, openConnection } from './connection.ts';
import { createMetrics } from './metrics.ts';

/** A configured server. It may be away. */
export interface RedisServer {
  /**
   * The shared connection. A command fails with RedisUnavailableError, at once while the server is away, or within
   * REDIS_COMMAND_TIMEOUT_MS. Do not use it for commands that block or for subscriptions.
   */
  readonly client: RedisClient;
  /** Whether there is a connection now. */
  readonly isUp: boolean;
  /** Prefix of every key and channel. */
  readonly prefix: string;
  /**
   * Opens another connection, for subscriptions or commands that block. It reconnects, subscribes again, and is closed when the
   * service stops.
   */
  readonly connect: () => Promise<RedisClient>;
}

/** Value of the module. */
export interface Redis {
  /** Undefined when REDIS_URL is empty. */
  readonly server: RedisServer | undefined;
}

/**
 * The connection to Redis. It is not part of readiness: modules that use it work without it, and otherwise all instances would leave at
 * once. The metric `redis_up` and an alert report that Redis is away.
 */
export const redis = defineModule({
  name: 'redis',
  config,
  requires: [metrics],
  async start({ config: settings, log, signal, use }): Promise<Running<Redis>> {
    if (settings.REDIS_URL === '') {
      log.info('no Redis: each process keeps its data in memory, until REDIS_URL is set');
      return { value: { server: undefined } };
    }
    const [connections, endings]: [RedisClient[], (() => void)[]] = [[], []];
    const measured = createMetrics(use(metrics).registry, () => connections[0]?.isReady ?? false);
    const { supervise } = await import('./supervision.ts');
    const client = await openConnection(
      {
        settings,
        log,
        reconnected: measured.reconnected,
        prepare: (made) => {
          connections.push(made);
          endings.push(supervise(made, { timeoutMs: settings.REDIS_COMMAND_TIMEOUT_MS, log, metrics: measured }));
        },
      },
      signal,
    );
    const server: RedisServer = {
      client,
      get isUp() {
        return client.isReady;
      },
      prefix: settings.REDIS_PREFIX || `${about.name}:`,
      connect: () => openConnection({ settings, log, prepare: (made) => connections.push(made) }, signal),
    };
    return {
      value: { server },
      stop: async (deadline) => {
        for (const end of endings) end();
        await Promise.all(connections.map((each) => closeConnection(each, deadline)));
      },
    };
  },
});
