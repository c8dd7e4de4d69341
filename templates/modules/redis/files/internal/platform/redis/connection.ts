import type { RedisClientOptions, RedisClientType } from '@redis/client';
import type { Static } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';

/** A connection to Redis. */
export type RedisClient = RedisClientType;

/** First pause before the next attempt to connect, in milliseconds. Each further pause is twice as long. */
const firstPause = 50;

export interface ConnectionOptions {
  readonly settings: Static<typeof config>;
  readonly log: Logger;
  /** Called for each connection after the first. */
  readonly reconnected?: () => void;
  /** Called with the client before the first attempt to connect. */
  readonly prepare?: (client: RedisClient) => void;
}

/**
 * Opens a connection that reconnects by itself. While it is broken, commands fail at once.
 * @param options settings, and what to call
 * @param signal aborts the wait for the first attempt
 * @returns the connection, after the first attempt, also when that failed; close it by `closeConnection`
 * @throws {Error} when REDIS_URL is not a URL
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<RedisClient> {
  const { settings, log, reconnected, prepare } = options;
  // Loading it takes as long as loading the rest of the service.
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
  // The client emits this for each attempt.
  client.on('error', (err: unknown) => {
    if (!isAway) log.warn({ err }, 'Redis is out of reach; trying again');
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
 * Makes a client try to connect until it succeeds or is closed.
 * @param client a closed client
 */
export function connect(client: RedisClient): void {
  // The event `error` reports failures.
  client.connect().catch(() => undefined);
}

/** What is known of the server behind a connection. */
export interface Role {
  /** Whether it is a replica, which refuses writes. */
  readonly isReplica: () => boolean;
  /** Call it when the server has refused a command because it is a replica. */
  readonly refused: () => void;
}

/**
 * Leaves a server that is a replica, as the former master is after a failover: connects again until the address leads to a master. Asks
 * each new connection for the role of its server, and then after each ping.
 * @param client a connection, before its first attempt to connect
 * @param options settings and log
 * @returns the role
 */
export function followMaster(
  client: RedisClient,
  { settings, log }: Pick<ConnectionOptions, 'settings' | 'log'>,
): Role {
  let attempts = 0;
  let timer: NodeJS.Timeout | undefined;

  function leave(): void {
    if (attempts === 0) log.warn('Redis is a replica and refuses writes; connecting again until it is a master');
    timer ??= setTimeout(
      () => {
        timer = undefined;
        if (client.isOpen) reconnect(client);
      },
      pauseMs(settings, attempts++),
    ).unref();
  }

  async function ask(): Promise<void> {
    const { role } = await client.hello();
    if (role === 'replica') return leave();
    if (attempts > 0) log.info('Redis is a master again');
    attempts = 0;
    clearTimeout(timer);
    timer = undefined;
  }

  // A connection that breaks meanwhile is reported by the event `error`.
  const check = (): void => void ask().catch(() => undefined);
  client.on('ready', check);
  client.on('ping-interval', check);
  return { isReplica: () => attempts > 0, refused: leave };
}

/**
 * Gives up a connection and makes a new one. Commands that wait fail; subscriptions are made again.
 * @param client an open client
 */
export function reconnect(client: RedisClient): void {
  client.destroy();
  connect(client);
}

/**
 * Waits for the answers to all commands, then closes the connection.
 * @param client a connection
 * @param signal aborts the wait
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
  // The error of Node would hold the URL, and with it the password.
  if (!URL.canParse(settings.REDIS_URL))
    throw new Error('REDIS_URL is not a URL: is a character of the password not escaped?');
  return {
    url: settings.REDIS_URL,
    name: about.name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: settings.REDIS_PENDING_MAX,
    // The limit of the client ends when a command is written, and costs a timer each: see supervision.ts.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    pingInterval: settings.REDIS_PING_INTERVAL_MS,
    socket: {
      connectTimeout: settings.REDIS_CONNECT_TIMEOUT_MS,
      // A connection without data for so long is dead: pings are answered.
      socketTimeout: settings.REDIS_PING_INTERVAL_MS + settings.REDIS_COMMAND_TIMEOUT_MS,
      reconnectStrategy: (retries) => pauseMs(settings, retries),
    },
  };
}

/** Full jitter (AWS Architecture Blog, 2015), so that the instances of a service do not connect at the same moment. */
function pauseMs({ REDIS_RECONNECT_MAX_MS: maxMs }: Static<typeof config>, attempts: number): number {
  return Math.random() * Math.min(firstPause * 2 ** Math.min(attempts, 16), maxMs);
}

/** Redis is away, cannot carry out commands now, or did not answer in time; then it may have carried the command out. */
export class RedisUnavailableError extends ServiceError {
  /** @param cause the error */
  constructor(cause: unknown) {
    const publicMessage = 'A part of the service is out of reach.';
    super({ code: 'redis_unavailable', status: 503, publicMessage, retryAfterMs: 1000, cause });
  }
}
