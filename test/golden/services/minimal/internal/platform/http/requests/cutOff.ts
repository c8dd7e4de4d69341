import type { FastifyReply } from 'fastify';

/**
 * @param reply that no end has been heard of
 * @returns whether its connection has gone before it was out; the reply itself hears of that later
 */
export function isCutOff({ raw, request }: FastifyReply): boolean {
  return request.raw.socket.destroyed && !raw.writableFinished;
}

/**
 * @param reply whose connection has gone
 * @returns whether a handler made something else of the connection, a WebSocket say, by `reply.hijack()`: how that ends is no
 * matter of requests
 */
export function isTakenOver({ raw, sent }: FastifyReply): boolean {
  return sent && !raw.headersSent && !raw.writableEnded;
}

/**
 * @param reply that was cut off
 * @returns why, when that was done on this side; undefined when the client has left
 */
export function faultOf({ raw, request }: FastifyReply): Error | undefined {
  const { readableEnded, errored } = request.raw.socket;
  if (raw.errored !== null && !isGone(raw.errored)) return raw.errored;
  // A stream of HTTP/2 is not its connection: what ends it on this side gives it an error.
  if (request.raw.httpVersionMajor === 2) return undefined;
  if (readableEnded || isGone(errored)) return undefined;
  return new Error('the connection was closed on this side', { cause: errored });
}

/** How the system says that the other side of a connection is not there any more. */
const goneCodes = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

function isGone(error: Error | null): boolean {
  return error !== null && 'code' in error && goneCodes.has(error.code);
}
