import { hash } from 'node:crypto';
import type { FastifyContextConfig, FastifySchema, FastifyTypeProviderDefault } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { current } from '../../../pkg/context/index.ts';
import { ServiceError, invalidArgument } from '../../../pkg/errors/index.ts';
import type { Http } from '../http/server.ts';
import { type Principal, principalKey } from '../http/requestContext.ts';
import type { MessageDefinition } from './messages.ts';
import type { Sockets } from './sockets.ts';

/**
 * How far clients have moved from REST to WebSocket.
 * `dual`: both serve; a write that is sent both ways is carried out once.
 * `moving`: both serve; replies by REST carry `Deprecation`, `Sunset` and `Link`.
 * `moved`: REST only reads; writes are answered with 410.
 */
export type Phase = 'dual' | 'moving' | 'moved';

export interface BothWays<Payload extends TSchema, Response extends TSchema> {
  readonly definition: MessageDefinition<Payload, Response>;
  readonly rest: {
    readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    readonly url: string;
    /** More of the route's schema. Body or query have the schema of the payload. */
    readonly schema?: FastifySchema;
    readonly config?: FastifyContextConfig;
  };
  readonly phase: Phase;
  /** When REST ends (RFC 8594). */
  readonly sunset?: Date;
  /** Path of the WebSocket, for the header `Link`. */
  readonly successor?: string;
  readonly handle: (payload: Static<Payload>, caller: Principal | undefined) => Promise<Static<Response>>;
}

/** Number of writes that are remembered. */
const maxWrites = 10_000;
/** RFC 9562, any version. */
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Serves one operation by REST and by WebSocket with the same handler, while clients move from REST to WebSocket. This instance
 * carries a write out once when it is sent both ways (`Idempotency-Key` = `msgId`). Without a token, the id must be a UUID: another
 * client might choose any other.
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
  const once = rememberWrites<Static<Response>>();
  const run = (id: string | undefined, payload: Static<Payload>, caller?: Principal): Promise<Static<Response>> => {
    const work = (): Promise<Static<Response>> => handle(payload, caller);
    return id === undefined || !isWrite ? work() : once([caller?.subject, id], payload, work);
  };

  sockets.on<Payload, TSchema>(definition, (payload, { peer: { caller }, envelope: { msgId } }) => {
    // Fastify sets defaults, too.
    Value.Default(definition.payload, payload);
    return run(isUnique(msgId, caller) ? msgId : undefined, payload, caller);
  });

  const schema: FastifySchema = {
    summary: definition.summary,
    ...(isWrite && {
      headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }),
    }),
    ...rest.schema,
    [isWrite ? 'body' : 'querystring']: definition.payload,
    response: { 200: definition.response },
  };
  // The type provider cannot know the types of any operation.
  http.withTypeProvider<FastifyTypeProviderDefault>().route({
    ...(rest.config && { config: rest.config }),
    method: rest.method,
    url: rest.url,
    schema,
    async handler({ body, query, headers }, reply) {
      reply.header('x-message-direction', 'response');
      if (phase !== 'dual') {
        // RFC 9745 and RFC 8288.
        reply.header('deprecation', '@0').header('link', `<${successor}>; rel="successor-version"`);
        if (sunset !== undefined) reply.header('sunset', sunset.toUTCString());
      }
      if (phase === 'moved' && isWrite) throw moved(definition.type);
      const caller = current().get(principalKey);
      const { 'idempotency-key': key } = headers;
      const id = isWrite && typeof key === 'string' ? key : undefined;
      if (id !== undefined && !isUnique(id, caller)) {
        throw invalidArgument('Without a token, an Idempotency-Key is a UUID.', { code: 'idempotency_key_invalid' });
      }
      // Fastify has checked it.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return run(id, (isWrite ? body : query) as Static<Payload>, caller);
    },
  });
}

/** Carries each write out once. A write that failed may be tried again. */
function rememberWrites<Result>() {
  const known = new Map<string, { readonly fingerprint: string; readonly result: Promise<Result> }>();
  return (id: readonly unknown[], payload: unknown, work: () => Promise<Result>): Promise<Result> => {
    const key = JSON.stringify(id);
    const fingerprint = hash('sha256', JSON.stringify(payload));
    const before = known.get(key);
    if (before !== undefined) {
      if (before.fingerprint !== fingerprint) throw reused();
      return before.result;
    }
    const write = { fingerprint, result: work() };
    known.set(key, write);
    write.result.catch(() => {
      if (known.get(key) === write) known.delete(key);
    });
    const [oldest] = known.keys();
    if (known.size > maxWrites && oldest !== undefined) known.delete(oldest);
    return write.result;
  };
}

/** Clients without a token share one space of ids. */
function isUnique(id: string, caller: Principal | undefined): boolean {
  return caller !== undefined || uuid.test(id);
}

function reused(): ServiceError {
  return new ServiceError({
    code: 'idempotency_key_reused',
    status: 422,
    publicMessage: 'Another payload was sent with this id (Idempotency-Key, msgId).',
  });
}

function moved(type: string): ServiceError {
  return new ServiceError({
    code: 'moved_to_websocket',
    status: 410,
    publicMessage: `Send a message "${type}" by WebSocket instead.`,
    details: { type },
  });
}
