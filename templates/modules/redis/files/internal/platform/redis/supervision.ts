import { ErrorReply } from '@redis/client';
import type { Logger } from '../log/logger.ts';
import { type RedisClient, connect } from './connection.ts';
import { RedisUnavailableError } from './errors.ts';
import type { RedisMetrics } from './metrics.ts';

export interface SupervisionOptions {
  /** Milliseconds in which a command is answered. */
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: RedisMetrics;
}

/** A command that waits for its answer. */
interface Waiting {
  readonly since: number;
}

/**
 * Measures each command of a connection, gives errors the words of `pkg/errors`, and makes a new connection when one answers
 * no more: a network that swallows packets says nothing, and what was asked would wait for ever.
 * @param client the connection, before it is first used; not for commands that block
 * @param options the time limit, and where to tell
 * @returns a function that ends it
 */
export function supervise(client: RedisClient, options: SupervisionOptions): () => void {
  const { timeoutMs, log, metrics } = options;
  // Answers come in the order of the commands: the first one here has waited longest.
  const waiting = new Set<Waiting>();
  const send = client.sendCommand.bind(client);

  const supervised = async <T>(...[args, given]: Parameters<typeof send>): Promise<T> => {
    const own: Waiting = { since: performance.now() };
    waiting.add(own);
    try {
      const reply = await send<T>(args, given);
      metrics.answered(String(args[0]).toLowerCase(), performance.now() - own.since);
      return reply;
    } catch (error) {
      const isRefused = error instanceof ErrorReply;
      metrics.failed(isRefused ? 'refused' : 'unavailable');
      throw isRefused ? error : new RedisUnavailableError(error);
    } finally {
      waiting.delete(own);
    }
  };

  // Every command of the client comes by this method, of the object that stands behind it.
  Reflect.set(Object(Object.getPrototypeOf(client)), 'sendCommand', supervised);

  // One timer for all: a limit is kept within a quarter.
  const timer = setInterval(
    () => {
      const [oldest] = waiting;
      if (oldest === undefined || performance.now() - oldest.since <= timeoutMs) return;
      log.warn({ timeoutMs, commands: waiting.size }, 'Redis does not answer: the connection is given up');
      metrics.stalled();
      client.destroy();
      connect(client);
    },
    Math.ceil(timeoutMs / 4),
  ).unref();
  return () => clearInterval(timer);
}
