import { ErrorReply } from '@redis/client';
import type { Logger } from '../log/logger.ts';
import { type RedisClient, RedisUnavailableError, reconnect } from './connection.ts';
import type { RedisMetrics } from './metrics.ts';

export interface SupervisionOptions {
  /** Maximum time of a command in milliseconds. */
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: RedisMetrics;
  /** Called when the server refuses a command because it is a replica. */
  readonly refusedByReplica: () => void;
}

/** Errors of a replica; the error of a script has the code of its command inside. */
const byReplica = /(^|-)(READONLY|MASTERDOWN) /;
/** Errors of a server that cannot carry out a command now: it reads its data, runs a script, or lacks other servers. */
const notNow = /^(LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|NOREPLICAS) /;

/** A command that waits for its answer. */
interface Waiting {
  readonly since: number;
}

/**
 * Measures each command of a connection, turns errors into those of `pkg/errors`, and makes a new connection when a command gets no
 * answer: on a network that drops packets, commands would wait for ever.
 * @param client the connection, before its first use; not one for commands that block
 * @param options the time limit
 * @returns stops the supervision
 */
export function supervise(client: RedisClient, options: SupervisionOptions): () => void {
  const { timeoutMs, log, metrics, refusedByReplica } = options;
  // Answers come in the order of the commands: the first one here has waited for the longest time.
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
      const answer = error instanceof ErrorReply ? error.message : undefined;
      metrics.failed(answer === undefined ? 'unavailable' : 'refused');
      if (answer !== undefined && byReplica.test(answer)) refusedByReplica();
      else if (answer !== undefined && !notNow.test(answer)) throw error;
      throw new RedisUnavailableError(error);
    } finally {
      waiting.delete(own);
    }
  };

  // All commands of the client call this method of its prototype.
  Reflect.set(Object(Object.getPrototypeOf(client)), 'sendCommand', supervised);

  // One timer for all commands: a command ends at most a quarter of the limit too late.
  const timer = setInterval(
    () => {
      const [oldest] = waiting;
      if (oldest === undefined || performance.now() - oldest.since <= timeoutMs) return;
      log.warn({ timeoutMs, commands: waiting.size }, 'Redis does not answer: the connection is given up');
      metrics.stalled();
      reconnect(client);
    },
    Math.ceil(timeoutMs / 4),
  ).unref();
  return () => clearInterval(timer);
}
