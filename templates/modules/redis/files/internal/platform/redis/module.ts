import { about } from '../app/about.ts';
import { type Running, defineModule } from '../app/module.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { type RedisClient, type Role, closeConnection, followMaster, openConnection } from './connection.ts';
import { createMetrics } from './metrics.ts';

/** A configured server. It may be away. */
export interface RedisServer {
  /**
   * The shared connection. A command fails with RedisUnavailableError, at once while the server is away, or within
   * REDIS_COMMAND_TIMEOUT_MS. Do not use it for commands that block or for subscriptions.
   */
  readonly client: RedisClient;
  /** Whether there is a connection now, to a server that takes writes. */
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
 * The connection to Redis. It does not decide about readiness: modules that use it work without it, and otherwise all instances would
 * leave at once. The metric `redis_up`, an alert and the text of the health report that Redis is away.
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
    const connections = new Map<RedisClient, Role>();
    const follow = (made: RedisClient): Role => {
      const role = followMaster(made, { settings, log });
      connections.set(made, role);
      return role;
    };
    const fault = (): string | undefined => {
      const [shared] = connections;
      if (shared?.[0].isReady !== true) return 'impaired: there is no connection to Redis';
      return shared[1].isReplica() ? 'impaired: Redis is a replica, it refuses writes' : undefined;
    };
    const measured = createMetrics(use(metrics).registry, () => fault() === undefined);
    const { supervise } = await import('./supervision.ts');
    let endSupervision: (() => void) | undefined;
    const client = await openConnection(
      {
        settings,
        log,
        reconnected: measured.reconnected,
        prepare: (made) => {
          const { refused } = follow(made);
          const timeoutMs = settings.REDIS_COMMAND_TIMEOUT_MS;
          endSupervision = supervise(made, { timeoutMs, log, metrics: measured, refusedByReplica: refused });
        },
      },
      signal,
    );
    const server: RedisServer = {
      client,
      get isUp() {
        return fault() === undefined;
      },
      prefix: settings.REDIS_PREFIX || `${about.name}:`,
      connect: () => openConnection({ settings, log, prepare: follow }, signal),
    };
    return {
      value: { server },
      health: fault,
      stop: async (deadline) => {
        endSupervision?.();
        await Promise.all(Array.from(connections.keys(), (each) => closeConnection(each, deadline)));
      },
    };
  },
});
