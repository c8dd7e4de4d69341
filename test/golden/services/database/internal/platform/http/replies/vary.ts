import type { FastifyReply } from 'fastify';

/**
 * @param reply depends on a header of its request
 * @param header its name; caches keep one reply for each value of it (RFC 9110, 12.5.5)
 */
export function vary(reply: FastifyReply, header: string): void {
  const given = reply.getHeader('vary');
  const names = given === undefined ? [] : String(given).split(/\s*,\s*/);
  if (names.some((name) => name.toLowerCase() === header.toLowerCase())) return;
  reply.header('vary', [...names, header].join(', '));
}
