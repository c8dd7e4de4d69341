import { about } from '../app/about.ts';
import { type Running, defineModule } from '../app/module.ts';
import { metrics, scrapedGauge } from '../metrics/module.ts';
import { config } from './config.ts';
import { type Connection, type RedisClient, openConnection } from './connection.ts';

/** A configured server. It may be away. */
export interface RedisServer {
  /**
   * The shared connection. A command fails with RedisUnavailableError, at once while the server is away, or when the server answers
   * nothing for REDIS_COMMAND_TIMEOUT_MS. Do not use it for commands that block or for subscriptions.
   */
  readonly client: RedisClient;
  /** Whether there is a connection now, to a server that takes writes. */
  readonly isUp: boolean;
  /** Prefix of every key and channel. */
  readonly prefix: string;
  /**
   * Opens another connection, for subscriptions, or commands that block for 5 seconds at most. It reconnects, subscribes again, and
   * is closed when the service stops.
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
    const { REDIS_URL: url, REDIS_COMMAND_TIMEOUT_MS: timeoutMs } = settings;
    if (url === '') {
      log.info('no Redis: each process keeps its data in memory, until REDIS_URL is set');
      return { value: { server: undefined } };
    }
    const { registry } = use(metrics);
    const shared = await openConnection({ url, timeoutMs, log, registry }, signal);
    const isUp = (): boolean => shared.fault() === undefined;
    scrapedGauge(registry, 'redis_up', 'Whether there is a connection to a Redis that takes writes: 1 or 0', () =>
      Number(isUp()),
    );
    const connections: Connection[] = [shared];
    const server: RedisServer = {
      client: shared.client,
      get isUp() {
        return isUp();
      },
      prefix: settings.REDIS_PREFIX || `${about.name}:`,
      connect: async () => {
        const another = await openConnection({ url, timeoutMs: timeoutMs + 5000, log }, signal);
        connections.push(another);
        return another.client;
      },
    };
    return {
      value: { server },
      health: () => (isUp() ? undefined : `impaired: ${shared.fault()}`),
      stop: async (deadline) => {
        await Promise.all(connections.map((each) => each.close(deadline)));
      },
    };
  },
});
