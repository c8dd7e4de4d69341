import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyReply, fastify } from 'fastify';
import { answerClientError } from '../http/problems/clientError.ts';
import { problem, problemOf, problemType } from '../http/problems/problem.ts';

/** The server of the admin port. */
export type Admin = ReturnType<typeof createAdmin>;

/** @returns a server that answers every error with problem details; it does not listen yet */
export function createAdmin() {
  const admin = fastify({
    clientErrorHandler: answerClientError,
    frameworkErrors: answer,
    http: { requireHostHeader: false },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  admin.setErrorHandler(answer);
  admin.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .type(problemType)
      .send(JSON.stringify(problem(404, { code: 'route_not_found' }))),
  );
  return admin;
}

function answer(error: unknown, _request: unknown, reply: FastifyReply): void {
  const told = problemOf(error);
  reply.code(told.status).type(problemType).send(JSON.stringify(told));
}
