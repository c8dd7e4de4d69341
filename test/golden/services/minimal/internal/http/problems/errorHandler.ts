import type { FastifyReply, FastifyRequest } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { tagsOf } from '../../../pkg/errors/index.ts';
import type { ErrorCounts } from '../../metrics/errors.ts';
import { overloadedCode } from './overloaded.ts';
import { problemOf, retryAfterOf } from './problem.ts';
import { sendProblem } from './sendProblem.ts';

/**
 * Each error is answered, counted and logged here and nowhere else; those of callers, and who is turned away, at debug only.
 * @param errors counts them by code
 * @returns Fastify's error handler
 */
export function errorHandler(errors: ErrorCounts) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const reason = reasonOf(error);
    const answer = problemOf(reason);
    errors.count(answer.code);
    const isFault = answer.status >= 500 && answer.code !== overloadedCode;
    request.log[isFault ? 'error' : 'debug']({ ...tagsOf(error), err: error }, 'request failed');
    const retryAfter = retryAfterOf(reason);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    sendProblem(request, reply, answer);
  };
}

/** Who heeds a signal throws an error of its own: why the signal was aborted, the context knows. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.name === 'AbortError' ? (current().ended() ?? error) : error;
}
