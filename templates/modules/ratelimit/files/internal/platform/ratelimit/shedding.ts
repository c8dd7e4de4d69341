import type { FastifyContextConfig, FastifyRequest } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import type { Handle } from '../http/server.ts';
import { overloaded, problemOf, type Refuse, retrySeconds } from '../http/problems.ts';
import { isCutOff } from '../http/requests.ts';
import { type Concurrency, type Priority, priorities } from './concurrency.ts';

/** Header by which a caller says how dear a request is. Anyone may lower it; to raise it, one must be a trusted proxy. */
export const priorityHeader = 'x-request-priority';

export interface SheddingOptions {
  readonly concurrency: Concurrency;
  readonly refuse: Refuse;
  /** Whether an address is that of a trusted proxy. */
  readonly trusts: (address: string) => boolean;
  /** Hears of each request that is turned away. */
  readonly shed: (priority: Priority) => void;
}

/**
 * @param options the limit, and where to tell
 * @returns turns requests away while too many are being answered, the least dear first
 */
export function shedding({ concurrency, refuse, trusts, shed }: SheddingOptions): Handle {
  return (request, reply, next) => {
    const { config } = request.routeOptions;
    // A reply that has no end is no measure, and would hold its place for ever. What has no route is answered at no cost.
    if (config.deadlineMs === Infinity || request.is404) return next();
    const priority = priorityOf(request, config, trusts);
    if (!concurrency.enter(priority)) {
      shed(priority);
      reply.header('retry-after', retrySeconds);
      refuse(request, reply, problemOf(overloaded()));
      return;
    }
    const begun = performance.now();
    current().whenOver(() => {
      // When a client leaves says how long it waits, not how long the reply takes.
      concurrency.leave(isCutOff(reply) ? undefined : performance.now() - begun);
    });
    next();
  };
}

function priorityOf(
  { headers, socket }: FastifyRequest,
  { ratelimit }: FastifyContextConfig,
  trusts: (address: string) => boolean,
): Priority {
  const own = ratelimit?.priority ?? 'normal';
  const given = headers[priorityHeader];
  if (given === undefined) return own;
  const asked = priorities.find((each) => each === given);
  if (asked === undefined) return own;
  const isLower = priorities.indexOf(asked) < priorities.indexOf(own);
  return isLower || trusts(socket.remoteAddress ?? '') ? asked : own;
}
