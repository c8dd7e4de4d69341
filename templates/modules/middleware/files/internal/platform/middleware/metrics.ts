import { Counter, Gauge, type Registry } from '@prometheus-io/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Handle, Next } from '../http/types.ts';
import { problemOf } from '../http/problems.ts';

/**
 * How a middleware ended for a request. `passed`: the request went on. `answered`: it ended with a reply, or an error of the client.
 * `failed`: the middleware failed. `unfinished`: the deadline passed, or the client left, before the middleware ended.
 */
const outcomes = ['passed', 'answered', 'failed', 'unfinished'] as const;
type Outcome = (typeof outcomes)[number];

/** As `Handle`, but without a promise: it ends by calling `next` or by answering. */
export type Step = (request: FastifyRequest, reply: FastifyReply, next: Next) => void;

/** Numbers of one middleware, which each request updates and each scrape reads. */
export class Tally {
  readonly counts: Record<Outcome, number> = { passed: 0, answered: 0, failed: 0, unfinished: 0 };
  inProgress = 0;
  seconds = 0;
}

/**
 * @param handle of a middleware
 * @param tally of the middleware
 * @returns the same with measurement; a second call of `next`, or one after the end of the request, is ignored
 */
export function measured(handle: Handle, tally: Tally): Step {
  return (request, reply, next) => {
    const begunAt = performance.now();
    let isOver = false;
    tally.inProgress += 1;
    const end = (outcome: Outcome): void => {
      isOver = true;
      tally.inProgress -= 1;
      tally.counts[outcome] += 1;
      tally.seconds += (performance.now() - begunAt) / 1000;
    };
    const goOn: Next = (error) => {
      if (isOver) return;
      if (error) end(problemOf(error).status < 500 ? 'answered' : 'failed');
      else end(reply.sent ? 'answered' : 'passed');
      if (error || !reply.sent) next(error);
    };
    let promise: void | Promise<void>;
    try {
      promise = handle(request, reply, goOn);
    } catch (error) {
      // After `next`, the error is of a later middleware or of the handler.
      if (isOver) throw error;
      return goOn(asError(error));
    }
    if (promise !== undefined) {
      promise.then(
        () => goOn(),
        (error: unknown) => goOn(asError(error)),
      );
    }
    if (isOver) return;
    if (promise === undefined && reply.sent) return end('answered');
    reply.raw.once('close', () => {
      if (!isOver) end('unfinished');
    });
  };
}

/** Without an error, the request would pass a guard that failed. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('a middleware failed without an error', { cause: thrown });
}

/** What the metrics show of a middleware. */
export interface Measured {
  readonly name: string;
  readonly isDeclared: boolean;
  readonly tally: Tally;
  readonly state: { readonly isOn: boolean; readonly routes?: readonly string[] | undefined };
}

/**
 * @param registry that exposes the metrics
 * @param entries returns all middleware; removed ones disappear from the metrics
 */
export function registerMetrics(registry: Registry, entries: () => readonly Measured[]): void {
  const common = { labelNames: ['middleware'] as const, registers: [] };
  const seconds = new Counter({
    ...common,
    name: 'middleware_seconds_total',
    help: 'Seconds that requests spent in a middleware',
    collect() {
      this.reset();
      for (const { name, tally } of entries()) this.inc({ middleware: name }, tally.seconds);
    },
  });
  const requests = new Counter({
    name: 'middleware_requests_total',
    help: 'Requests by middleware and outcome: passed, answered, failed, unfinished',
    labelNames: ['middleware', 'outcome'],
    registers: [],
    collect() {
      this.reset();
      for (const { name, tally } of entries())
        for (const outcome of outcomes) this.inc({ middleware: name, outcome }, tally.counts[outcome]);
    },
  });
  const inProgress = new Gauge({
    ...common,
    name: 'middleware_in_progress_requests',
    help: 'Requests that are in a middleware now',
    collect() {
      this.reset();
      for (const { name, tally } of entries()) this.set({ middleware: name }, tally.inProgress);
    },
  });
  const on = new Gauge({
    ...common,
    name: 'middleware_on',
    help: 'Whether a middleware of the service is on for all routes (1), or was switched off or restricted (0)',
    collect() {
      this.reset();
      for (const { name, isDeclared, state } of entries())
        if (isDeclared) this.set({ middleware: name }, state.isOn && state.routes === undefined ? 1 : 0);
    },
  });
  for (const metric of [seconds, requests, inProgress, on]) registry.registerMetric(metric);
}
