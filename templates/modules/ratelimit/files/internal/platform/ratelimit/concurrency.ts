import type { FastifyContextConfig, FastifyRequest } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import type { Handle } from '../http/types.ts';
import { type Refuse, overloaded, problemOf, retrySeconds } from '../http/problems.ts';
import { isCutOff } from '../http/requests.ts';

/** Requests of the lowest priority are refused first. */
const priorities = ['low', 'normal', 'high'] as const;
export type Priority = (typeof priorities)[number];

/** The part of the limit that requests of a priority may fill. */
const shares: Readonly<Record<Priority, number>> = { low: 0.75, normal: 1, high: 1.25 };

export interface ConcurrencyOptions {
  readonly min: number;
  readonly max: number;
  /** Factor by which replies may become slower than usual before the limit falls. */
  readonly tolerance: number;
}

/** The usual latency is the average of the first samples, and then an average that follows slowly. */
const warmUp = 10;
const usualOver = 600;
/** Part of each new limit that is taken over. */
const smoothing = 0.2;
/** Requests by which the limit grows while replies are fast. */
const headroom = 4;
/** A sample is the average of at least so many replies over at least so many milliseconds. */
const sample = { replies: 10, ms: 100 };

/**
 * A limit of the requests that are answered at the same time. It follows latency: Gradient2 of Netflix' concurrency-limits
 * (https://github.com/Netflix/concurrency-limits). When replies become slower than usual, work queues up somewhere, and the limit
 * falls. Otherwise it grows while it is used.
 */
export class Concurrency {
  readonly #options: ConcurrencyOptions;
  readonly #now: () => number;
  #limit: number;
  #usualMs = 0;
  #samples = 0;
  #inFlight = 0;
  #maxInFlight = 0;
  #sumMs = 0;
  #replies = 0;
  #since: number;

  /**
   * @param options bounds
   * @param now a clock in milliseconds that does not go back
   */
  constructor(options: ConcurrencyOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#limit = Math.min(Math.max(options.min, 100), options.max);
    this.#now = now;
    this.#since = now();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Lets a request in. Call `leave` when it has ended.
   * @param priority of the request
   * @returns whether there is room
   */
  enter(priority: Priority): boolean {
    if (this.#inFlight >= this.limit * shares[priority]) return false;
    this.#inFlight += 1;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
    return true;
  }

  /**
   * A request that was let in has ended.
   * @param ms duration of the reply; `undefined` when it is no measure
   */
  leave(ms: number | undefined): void {
    this.#inFlight -= 1;
    if (ms === undefined) return;
    this.#sumMs += ms;
    this.#replies += 1;
    const now = this.#now();
    if (this.#replies < sample.replies || now - this.#since < sample.ms) return;
    this.adapt(this.#sumMs / this.#replies, this.#maxInFlight);
    this.#sumMs = 0;
    this.#replies = 0;
    this.#maxInFlight = this.#inFlight;
    this.#since = now;
  }

  /**
   * Adapts the limit to a sample.
   * @param ms average duration of replies
   * @param inFlight maximum number of requests that were answered meanwhile
   */
  adapt(ms: number, inFlight: number): void {
    const { min, max, tolerance } = this.#options;
    this.#samples += 1;
    this.#usualMs += (ms - this.#usualMs) * (this.#samples <= warmUp ? 1 / this.#samples : 2 / (usualOver + 1));
    // After a slow time the average would take long to fall.
    if (this.#usualMs > 2 * ms) this.#usualMs *= 0.95;
    // A limit that is not reached cannot be judged.
    if (inFlight < this.#limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, (tolerance * this.#usualMs) / ms));
    const next = this.#limit * gradient + headroom;
    this.#limit = Math.min(Math.max(this.#limit + (next - this.#limit) * smoothing, min), max);
  }
}

export interface SheddingOptions {
  readonly concurrency: Concurrency;
  readonly refuse: Refuse;
  /** Whether an address belongs to a trusted proxy. */
  readonly trusts: (address: string) => boolean;
  /** Called for each refused request. */
  readonly shed: (priority: Priority) => void;
}

/**
 * Refuses requests while too many are being answered.
 * @param options the limit
 * @returns the handler for `onRequest`
 */
export function shedding({ concurrency, refuse, trusts, shed }: SheddingOptions): Handle {
  return (request, reply, next) => {
    const { config } = request.routeOptions;
    // A reply without an end is no measure and would keep its place. A request without a route costs nothing.
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
      // A client that leaves early says nothing about the duration of the reply.
      concurrency.leave(isCutOff(reply) ? undefined : performance.now() - begun);
    });
    next();
  };
}

/** Any caller may lower the priority of its request by `X-Request-Priority`. Only a trusted proxy may raise it. */
function priorityOf(
  { headers, socket }: FastifyRequest,
  { ratelimit }: FastifyContextConfig,
  trusts: (address: string) => boolean,
): Priority {
  const own = ratelimit?.priority ?? 'normal';
  const asked = priorities.find((each) => each === headers['x-request-priority']);
  if (asked === undefined) return own;
  const isLower = priorities.indexOf(asked) < priorities.indexOf(own);
  return isLower || trusts(socket.remoteAddress ?? '') ? asked : own;
}
