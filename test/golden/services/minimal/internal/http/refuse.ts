import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCounts } from '../metrics/errors.ts';
import type { Problem } from './problem.ts';
import { sendProblem } from './sendProblem.ts';

/**
 * Answers in place of a handler, before the body is read; counted like any error, and logged by the access log alone: that it
 * costs little is the point.
 * @param errors counts it
 * @param request that is refused
 * @param reply headers that belong to the problem, such as Retry-After, are set on it before
 * @param answer what the caller learns
 */
export function refuse(errors: ErrorCounts, request: FastifyRequest, reply: FastifyReply, answer: Problem): void {
  errors.count(answer.code);
  sendProblem(request, reply, answer);
}
