import type { FastifyReply } from 'fastify';

/**
 * Asks the client not to use its connection any more. In HTTP/2 it is shared, and only the request is over.
 * @param reply that says so
 */
export function askToLeave(reply: FastifyReply): void {
  if (reply.request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
}
