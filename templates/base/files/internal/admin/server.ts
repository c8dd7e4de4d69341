import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import { problem, problemOf, problemType } from '../http/problems/problem.ts';

/** The server of the admin port. */
export type Admin = ReturnType<typeof createAdmin>;

/** @returns a server that answers every error with problem details; it does not listen yet */
export function createAdmin() {
  const admin = fastify({
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  admin.setErrorHandler((error, _request, reply) => {
    const answer = problemOf(error);
    return reply.code(answer.status).type(problemType).send(JSON.stringify(answer));
  });
  admin.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .type(problemType)
      .send(JSON.stringify(problem(404, { code: 'route_not_found' }))),
  );
  return admin;
}
