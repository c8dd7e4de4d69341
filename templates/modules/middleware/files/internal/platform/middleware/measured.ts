import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Handle, Next } from '../http/server.ts';
import { problemOf } from '../http/problems.ts';

/**
 * What became of a request at one middleware. `passed`: it went on. `answered`: it ended there, with a reply, or an error of the
 * caller's. `failed`: by a fault of the middleware's. `unfinished`: its time was up, or its client gone, before anything came of it.
 */
export const outcomes = ['passed', 'answered', 'failed', 'unfinished'] as const;
export type Outcome = (typeof outcomes)[number];

/** As `Handle`, but gives no promise: it is over when `next` is called, or the request answered. */
export type Step = (request: FastifyRequest, reply: FastifyReply, next: Next) => void;

/** What one middleware has done since it is there: plain numbers, as each request adds to them. */
export class Tally {
  readonly counts: Record<Outcome, number> = { passed: 0, answered: 0, failed: 0, unfinished: 0 };
  inProgress = 0;
  seconds = 0;
}

/**
 * @param handle of one middleware
 * @param tally is told of each request and its time
 * @returns the same; what calls back twice, or after the request is over, is not heard
 */
export function measured(handle: Handle, tally: Tally): Step {
  return (request, reply, next) => {
    const begun = performance.now();
    let isOver = false;
    tally.inProgress += 1;
    const over = (outcome: Outcome): void => {
      isOver = true;
      tally.inProgress -= 1;
      tally.counts[outcome] += 1;
      tally.seconds += (performance.now() - begun) / 1000;
    };
    const goOn: Next = (error) => {
      if (isOver) return;
      if (error) over(problemOf(error).status < 500 ? 'answered' : 'failed');
      else over(reply.sent ? 'answered' : 'passed');
      if (error || !reply.sent) next(error);
    };
    let promise: void | Promise<void>;
    try {
      promise = handle(request, reply, goOn);
    } catch (error) {
      // What comes behind it is not its fault.
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
    if (promise === undefined && reply.sent) return over('answered');
    reply.raw.once('close', () => {
      if (!isOver) over('unfinished');
    });
  };
}

/** Whatever was thrown: a guard that fails lets nobody through. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('a middleware failed without an error', { cause: thrown });
}
