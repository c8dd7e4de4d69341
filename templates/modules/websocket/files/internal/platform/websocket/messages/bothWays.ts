import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyContextConfig, FastifySchema, FastifyTypeProviderDefault } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { current } from '../../../../pkg/context/index.ts';
import { ServiceError, invalidArgument } from '../../../../pkg/errors/index.ts';
import { type Principal, principalKey } from '../../http/requestContext.ts';
import { IdempotencyHeaders } from '../../http/idempotency.ts';
import type { Http } from '../../http/server.ts';
import type { MessageDefinition } from './definitions.ts';
import type { Sockets } from '../sockets.ts';
import { Writes } from './writes.ts';

/** How far clients have moved from REST to WebSocket. */
export type Phase =
  /** Both serve; clients may send each write both ways, it is carried out once. */
  | 'dual'
  /** Both serve; replies by REST say that they are deprecated, and what succeeds them. */
  | 'moving'
  /** REST only reads: what writes is answered with 410. */
  | 'moved';

export interface BothWays<Payload extends TSchema, Response extends TSchema> {
  readonly definition: MessageDefinition<Payload, Response>;
  readonly rest: {
    readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    readonly url: string;
    /** Body or query are checked by the payload of the message. */
    readonly schema?: FastifySchema;
    readonly config?: FastifyContextConfig;
  };
  readonly phase: Phase;
  /** When REST will be gone (RFC 8594), for replies while clients move. */
  readonly sunset?: Date;
  /** Path of the WebSocket, as a successor of the route. */
  readonly successor?: string;
  /** The same for both. */
  readonly handle: (payload: Static<Payload>, caller: Principal | undefined) => Promise<Static<Response>>;
}

/**
 * Serves one operation by REST and by WebSocket with the same handler, while clients move from the one to the other. A write that
 * is sent both ways (header `Idempotency-Key` = `msgId`) is carried out once, by this instance; from a client without a subject
 * only when that is a UUID. Every answer says by `direction` that it is one: in the envelope, and by REST in the header
 * `x-message-direction`.
 * @param http the API's server
 * @param sockets of module websocket
 * @param operation route, message and handler
 */
export function serveBothWays<Payload extends TSchema, Response extends TSchema>(
  http: Http,
  sockets: Sockets,
  { definition, rest, phase, sunset, successor = '/ws', handle }: BothWays<Payload, Response>,
): void {
  const isWrite = rest.method !== 'GET';
  const writes = new Writes<Static<Response>>();
  const once = (
    id: string | undefined,
    payload: Static<Payload>,
    caller: Principal | undefined,
  ): Promise<Static<Response>> => {
    const work = (): Promise<Static<Response>> => handle(payload, caller);
    if (id === undefined || !isWrite || !Writes.isTold(id, caller?.subject)) return work();
    return writes.once(id, caller?.subject, payload, work);
  };

  sockets.on<Payload, TSchema>(definition, (payload, { peer, envelope }) => {
    // As Fastify does: either way the handler gets the same.
    Value.Default(definition.payload, payload);
    return once(envelope.msgId, payload, peer.caller);
  });

  const schema: FastifySchema = {
    summary: definition.summary,
    ...(isWrite && { headers: IdempotencyHeaders }),
    ...rest.schema,
    [isWrite ? 'body' : 'querystring']: definition.payload,
    response: { 200: definition.response },
  };
  // What a handler is given depends on the operation: the provider of types cannot know it here.
  http.withTypeProvider<FastifyTypeProviderDefault>().route({
    ...(rest.config && { config: rest.config }),
    method: rest.method,
    url: rest.url,
    schema,
    async handler(request, reply) {
      reply.header('x-message-direction', 'response');
      if (phase !== 'dual') {
        // RFC 9745: since when; RFC 8288: what comes instead.
        reply.header('deprecation', '@0').header('link', `<${successor}>; rel="successor-version"`);
        if (sunset !== undefined) reply.header('sunset', sunset.toUTCString());
      }
      if (phase === 'moved' && isWrite) throw gone(definition.type);
      const caller = current().get(principalKey);
      const id = isWrite ? idOf(request.headers, caller) : undefined;
      // Fastify has checked it by the same schema.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const payload = (isWrite ? request.body : request.query) as Static<Payload>;
      return once(id, payload, caller);
    },
  });
}

/** Whoever sends an id relies on it: one that would not be heeded is refused. */
function idOf({ 'idempotency-key': id }: IncomingHttpHeaders, caller: Principal | undefined): string | undefined {
  if (typeof id !== 'string') return undefined;
  if (Writes.isTold(id, caller?.subject)) return id;
  throw invalidArgument('Without a token, an Idempotency-Key is a UUID.', { code: 'idempotency_key_invalid' });
}

function gone(type: string): ServiceError {
  return new ServiceError({
    code: 'moved_to_websocket',
    status: 410,
    publicMessage: `Send a message "${type}" by WebSocket instead.`,
    details: { type },
  });
}
