import type { FastifyReply, FastifyRequest } from 'fastify';
import { current, headerNames } from '../../../../pkg/context/index.ts';
import { type Problem, problemType } from './problem.ts';

/**
 * Sends a problem, in place of what was begun. As a string: no route's response schema then leaves out a field.
 * @param request its id and that of its trace go along
 * @param reply headers that belong to the problem, such as Allow, are set on it before
 * @param answer what the caller learns
 */
export function sendProblem({ id }: FastifyRequest, reply: FastifyReply, answer: Problem): void {
  reply
    .removeHeader('content-encoding')
    .code(answer.status)
    .headers({ 'content-type': problemType, [headerNames.id]: id })
    .send(JSON.stringify({ ...answer, requestId: id, traceId: current().trace.traceId }));
}
