import type { RedisClientOptions, RedisClientType } from '@redis/client';
import type { Static } from 'typebox';
import { about } from '../app/about.ts';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';

/** A connection to Redis. */
export type RedisClient = RedisClientType;

/** The first pause before a connection is tried again, in milliseconds; each further one is twice as long. */
const firstPause = 50;

export interface ConnectionOptions {
  readonly settings: Static<typeof config>;
  readonly log: Logger;
  /** Called at each connection but the first. */
  readonly reconnected?: () => void;
  /** Says before the first try what is needed of the client. */
  readonly prepare?: (client: RedisClient) => void;
}

/**
 * Opens a connection that mends itself. While it is broken, commands fail at once.
 * @param options settings, and who hears of what happens to it
 * @param signal aborts the wait for the first try
 * @returns the connection, after the first try, whether that succeeded or not; to be closed by `closeConnection`
 * @throws {Error} when REDIS_URL is none
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<RedisClient> {
  const { settings, log, reconnected, prepare } = options;
  // It takes as long to load as all else in the service together: not where there is no server.
  const { createClient } = await import('@redis/client');
  const client = createClient(clientOptions(settings));
  let connections = 0;
  let isAway = false;
  const { promise: tried, resolve } = Promise.withResolvers<void>();
  client.on('ready', () => {
    connections += 1;
    if (connections > 1) reconnected?.();
    if (isAway) log.info('Redis is back');
    isAway = false;
    resolve();
  });
  // The client says so at each try.
  client.on('error', (err: unknown) => {
    if (!isAway) log.warn({ err }, 'Redis is out of reach; trying on');
    isAway = true;
    resolve();
  });
  prepare?.(client);
  connect(client);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await tried;
  return client;
}

/**
 * Has a client try to connect until it does, or is closed.
 * @param client one that is closed
 */
export function connect(client: RedisClient): void {
  // Why it failed is told by the event; that it was closed meanwhile, whoever closed it knows.
  client.connect().catch(() => undefined);
}

/**
 * Waits for the answers to what was asked, then closes.
 * @param client a connection
 * @param signal when aborted, waits no longer
 */
export async function closeConnection(client: RedisClient, signal: AbortSignal): Promise<void> {
  if (!client.isOpen) return;
  if (!client.isReady || signal.aborted) {
    client.destroy();
    return;
  }
  const destroy = (): void => client.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  await client.close();
  signal.removeEventListener('abort', destroy);
}

function clientOptions(settings: Static<typeof config>): RedisClientOptions {
  // What Node throws of a URL holds the URL, and that the password.
  if (!URL.canParse(settings.REDIS_URL))
    throw new Error('REDIS_URL is no URL: is a character of the password not escaped?');
  return {
    url: settings.REDIS_URL,
    name: about.name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: settings.REDIS_PENDING_MAX,
    // Its own limit ends when a command is written, and costs a timer each: see supervision.ts.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    pingInterval: settings.REDIS_PING_INTERVAL_MS,
    socket: {
      connectTimeout: settings.REDIS_CONNECT_TIMEOUT_MS,
      // Without a word for so long, not even an answer to a ping, it is dead.
      socketTimeout: settings.REDIS_PING_INTERVAL_MS + settings.REDIS_COMMAND_TIMEOUT_MS,
      reconnectStrategy: (retries) =>
        Math.random() * Math.min(firstPause * 2 ** Math.min(retries, 16), settings.REDIS_RECONNECT_MAX_MS),
    },
  };
}
