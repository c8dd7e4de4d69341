import { once } from 'node:events';
import type { RedisClientType } from '@redis/client';
import { Counter, Histogram, type Registry } from '@prometheus-io/client';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';
import type { Logger } from '../log/logger.ts';

/** A connection to Redis. */
export type RedisClient = RedisClientType;

export interface ConnectionOptions {
  /** REDIS_URL. */
  readonly url: string;
  /** Time to answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: Logger;
  /** Gets the metrics of the commands; they are measured when it is there. */
  readonly registry?: Registry;
}

export interface Connection {
  readonly client: RedisClient;
  /** Why commands fail now; undefined while they do not. */
  readonly fault: () => string | undefined;
  /** Waits for the answers to all commands, then closes the connection. The signal aborts the wait. */
  readonly close: (signal: AbortSignal) => Promise<void>;
}

/**
 * Opens a connection that mends itself. While it is broken, commands fail at once. It is made again when the server answers nothing, as
 * on a network that drops packets, and when the server is a replica, as the former master is after a failover.
 * @param options server, time limit and log
 * @param signal aborts the wait for the first attempt
 * @returns the connection, after the first attempt, also when that failed
 * @throws {Error} when the URL is not valid
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const { url, timeoutMs, log, registry } = options;
  // The error of Node would hold the URL, and with it the password.
  if (!URL.canParse(url)) throw new Error('REDIS_URL is not a URL: is a character of the password not escaped?');
  // Loading it takes as long as loading the rest of the service.
  const { createClient, ErrorReply } = await import('@redis/client');
  const client: RedisClient = createClient({
    url,
    name: about.name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    // The limit of the client ends when a command is written, and costs a timer each: `ask` finds a silent server.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    socket: {
      connectTimeout: 3000,
      // For a server that is connected and never ready.
      socketTimeout: 2 * timeoutMs,
      // Full jitter (AWS Architecture Blog, 2015), so that the instances of a service do not connect at the same moment.
      reconnectStrategy: (retries) => Math.random() * Math.min(50 * 2 ** Math.min(retries, 16), 2000),
    },
  });
  if (registry !== undefined) supervise(client, registry, (error) => error instanceof ErrorReply);
  let fault: string | undefined;
  const become = (now: string | undefined, err?: unknown): void => {
    if (now !== fault) log[now === undefined ? 'info' : 'warn']({ err }, now ?? 'Redis is back');
    fault = now;
  };
  const connect = (): void => {
    // The event `error` reports failures.
    client.connect().catch(() => undefined);
  };
  const destroy = (): void => {
    if (client.isOpen) client.destroy();
  };
  let isClosing = false;
  const reconnect = (): void => {
    destroy();
    if (!isClosing) connect();
  };

  /** Answers come in order: when this one is late, so are those of all commands before. */
  const ask = async (): Promise<void> => {
    const late = setTimeout(() => {
      become('Redis does not answer: the connection is given up');
      reconnect();
    }, timeoutMs);
    try {
      const { role } = await client.hello();
      become(role === 'replica' ? replica : undefined);
    } catch {
      // A connection that breaks meanwhile is reported by the event `error`.
    } finally {
      clearTimeout(late);
    }
  };

  const { promise: tried, resolve } = Promise.withResolvers<void>();
  client.on('ready', () => {
    void ask();
    resolve();
  });
  // The client emits this for each attempt.
  client.on('error', (err: unknown) => {
    become('Redis is out of reach; trying again', err);
    resolve();
  });
  const timer = setInterval(() => {
    if (!client.isReady) return;
    if (fault === replica) reconnect();
    else void ask();
  }, timeoutMs).unref();
  connect();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await tried;
  return {
    client,
    fault: () => (client.isReady ? fault : 'there is no connection to Redis'),
    close: async (deadline) => {
      isClosing = true;
      clearInterval(timer);
      if (!client.isReady || deadline.aborted) return destroy();
      const abort = (): void => client.destroy();
      deadline.addEventListener('abort', abort, { once: true });
      // When the connection breaks meanwhile, `close` of the client does not end.
      await Promise.race([client.close(), once(client, 'error')]);
      abort();
      deadline.removeEventListener('abort', abort);
    },
  };
}

const replica = 'Redis is a replica, it refuses writes';

/** Errors of a server that cannot carry out a command now. The error of a script has the code of its command inside. */
const notNow = /(^|-)(READONLY|MASTERDOWN|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|NOREPLICAS) /;

/** Measures each command of a client, and turns errors into those of `pkg/errors`. */
function supervise(client: RedisClient, registry: Registry, isReply: (error: unknown) => error is Error): void {
  const durations = new Histogram({
    name: 'redis_command_duration_seconds',
    help: 'Seconds that answered commands took, by command',
    labelNames: ['command'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'redis_command_failures_total',
    help: 'Commands that failed: the server was away (unavailable), or replied with an error (refused)',
    labelNames: ['reason'],
    registers: [registry],
  });
  const send = client.sendCommand.bind(client);
  const supervised = async <T>(...[args, given]: Parameters<typeof send>): Promise<T> => {
    const since = performance.now();
    try {
      const reply = await send<T>(args, given);
      durations.observe({ command: String(args[0]).toLowerCase() }, (performance.now() - since) / 1000);
      return reply;
    } catch (error) {
      failures.inc({ reason: isReply(error) ? 'refused' : 'unavailable' });
      if (isReply(error) && !notNow.test(error.message)) throw error;
      throw new RedisUnavailableError(error);
    }
  };
  // All commands of the client call this method of its prototype.
  Reflect.set(Object(Object.getPrototypeOf(client)), 'sendCommand', supervised);
}

/** Redis is away, cannot carry out commands now, or did not answer in time; then it may have carried the command out. */
export class RedisUnavailableError extends ServiceError {
  /** @param cause the error */
  constructor(cause: unknown) {
    const publicMessage = 'A part of the service is out of reach.';
    super({ code: 'redis_unavailable', status: 503, publicMessage, retryAfterMs: 1000, cause });
  }
}
