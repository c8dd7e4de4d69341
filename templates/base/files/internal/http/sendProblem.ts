import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, problemType } from './problem.ts';
import { requestIdHeader } from './requestId.ts';

/**
 * Sends a problem, in place of what was begun. As a string: no route's response schema then leaves out a field.
 * @param request its id goes along
 * @param reply headers that belong to the problem, such as Allow, are set on it before
 * @param answer what the caller learns
 */
export function sendProblem({ id }: FastifyRequest, reply: FastifyReply, answer: Problem): void {
  reply
    .removeHeader('content-encoding')
    .code(answer.status)
    .headers({ 'content-type': problemType, [requestIdHeader]: id })
    .send(JSON.stringify({ ...answer, requestId: id }));
}
