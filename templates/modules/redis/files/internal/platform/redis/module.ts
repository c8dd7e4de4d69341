import { about } from '../app/about.ts';
import { type Running, defineModule } from '../app/module.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { type RedisClient, closeConnection, openConnection } from './connection.ts';
import { createMetrics } from './metrics.ts';

/** A server that is configured, whether it answers or not. */
export interface RedisServer {
  /**
   * The connection that all share. A command fails with RedisUnavailableError, at once while the server is away, else within
   * REDIS_COMMAND_TIMEOUT_MS. Not for commands that block, nor for subscriptions.
   */
  readonly client: RedisClient;
  /** Whether the server can be asked now. */
  readonly isUp: boolean;
  /** What every key, and every channel, begins with. */
  readonly prefix: string;
  /**
   * Opens a connection of one's own, for subscriptions or commands that block. It mends itself, subscribes anew, and is
   * closed when the service stops.
   */
  readonly connect: () => Promise<RedisClient>;
}

/** What the module gives to those that require it. */
export interface Redis {
  /** Undefined when REDIS_URL is empty: whoever uses Redis then keeps to its own memory. */
  readonly server: RedisServer | undefined;
}

/**
 * Redis, for whoever needs it. It is no part of readiness: its users go on without it, and out of service they would help
 * nobody. That it is away is in the metric `redis_up`, and an alert.
 */
export const redis = defineModule({
  name: 'redis',
  config,
  requires: [metrics],
  async start({ config: settings, log, signal, use }): Promise<Running<Redis>> {
    if (settings.REDIS_URL === '') {
      log.info('no Redis: each process keeps to its own memory (set REDIS_URL for a server)');
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
