import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { askToLeave } from '../replies/askToLeave.ts';

/**
 * @param request as it came in
 * @returns whether some of its body is still to come
 */
export function isBodyDue({ headers, httpVersionMajor, complete, readableEnded }: IncomingMessage): boolean {
  // In HTTP/2 no header need announce a body.
  const hasBody =
    headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined || httpVersionMajor === 2;
  // What is injected, in tests, is never complete.
  return hasBody && !complete && !readableEnded;
}

/**
 * Asks the client to leave when nobody will read the rest of its body, which is large, may have no end, or is too slow: Node would
 * go on taking it in.
 * @param request that is being answered
 * @param reply to it
 * @param limit bytes up to which a body is rather taken in than the connection given up
 */
export function leaveUnread({ headers, raw }: FastifyRequest, reply: FastifyReply, limit: number): void {
  const isLong = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > limit;
  if ((isLong || reply.statusCode === 408) && isBodyDue(raw)) askToLeave(reply);
}
