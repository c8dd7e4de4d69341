import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import type { Exchange } from './contract.ts';

/** Decorates a server with routes that api/openapi.json does not list, such as those of an example. */
export const unlisted = 'isUnlisted';

/**
 * From now on, each reply of an API in this process is told, whichever test or server it comes from.
 * @param tell hears of it
 * @returns ends that, for the servers to come
 */
export function watchReplies(tell: (exchange: Exchange) => void): () => void {
  const hear = (message: unknown): void => {
    if (isInitialization(message)) watch(message.fastify, tell);
  };
  subscribe('fastify.initialization', hear);
  return () => void unsubscribe('fastify.initialization', hear);
}

/** Before all other hooks: of a body, compression leaves nothing to read. */
function watch(server: FastifyInstance, tell: (exchange: Exchange) => void): void {
  server.addHook('onSend', (request, reply, payload, done) => {
    const { statusCode } = reply;
    done();
    // It could not be sent: what went out in its place tells of itself.
    if (statusCode < 500 && reply.statusCode >= 500) return;
    // The admin port is in no contract.
    if (!server.hasDecorator('chain')) return;
    const { schema, url } = request.routeOptions;
    tell({
      method: request.method,
      route: url,
      operationId: operationIdOf(schema),
      status: reply.statusCode,
      contentType: String(reply.getHeader('content-type') ?? ''),
      body: textOf(payload),
      ...(server.hasDecorator(unlisted) && { document: server.swagger() }),
    });
  });
}

function isInitialization(message: unknown): message is { fastify: FastifyInstance } {
  return typeof message === 'object' && message !== null && 'fastify' in message;
}

function operationIdOf(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null || !('operationId' in schema)) return undefined;
  // What is hidden is in no contract.
  if ('hide' in schema && schema.hide === true) return undefined;
  return typeof schema.operationId === 'string' ? schema.operationId : undefined;
}

function textOf(payload: unknown): string | undefined {
  if (payload === null || payload === undefined) return '';
  if (typeof payload === 'string') return payload;
  return Buffer.isBuffer(payload) ? payload.toString() : undefined;
}
