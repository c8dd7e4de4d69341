import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCounts } from '../../metrics/module.ts';
import type { Problem } from './problem.ts';
import { sendProblem } from './sendProblem.ts';

/**
 * Answers in place of a handler, before the body is read.
 * @param request that is refused
 * @param reply headers that belong to the problem, such as Retry-After, are set on it before
 * @param answer what the caller learns
 */
export type Refuse = (request: FastifyRequest, reply: FastifyReply, answer: Problem) => void;

/**
 * @param errors counts each refusal, like any error
 * @returns refuses requests; what is refused is logged by the access log alone: that it costs little is the point
 */
export function refusing(errors: ErrorCounts): Refuse {
  return (request, reply, answer) => {
    errors.count(answer.code);
    sendProblem(request, reply, answer);
  };
}
