import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyInstance, type RawServerDefault, fastify } from 'fastify';
import type { Static } from 'typebox';
import { about } from '../app/about.ts';
import { type Tracing, noTracing } from '../app/tracing.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import type { RequestDurations } from '../metrics/requests.ts';
import { admission } from './admission.ts';
import { BodyMemory } from './body/bodyMemory.ts';
import { jsonBody } from './body/jsonBody.ts';
import { Chain } from './chain.ts';
import type { config } from './config.ts';
import { networks } from './connections/networks.ts';
import { createNodeServer } from './connections/nodeServer.ts';
import { PeerConnections } from './connections/peerConnections.ts';
import { cors } from './cors.ts';
import type { Methods } from './methods.ts';
import { answerClientError } from './problems/clientError.ts';
import { errorHandler } from './problems/errorHandler.ts';
import { Problem } from './problems/problem.ts';
import { replyBody } from './replies/replyBody.ts';
import { AccessLog } from './requests/accessLog.ts';
import { Readers } from './requests/readers.ts';
import { RequestLog } from './requests/requestLog.ts';
import { Requests } from './requests/requests.ts';
import { securityHeaders } from './securityHeaders.ts';
import { buildValidator } from './validation.ts';

/** The API's server, on which modules register their routes while they start. */
export type Http = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, TypeBoxTypeProvider>;

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether an address is that of a proxy of ours (HTTP_TRUSTED_PROXIES). */
    trusts: (address: string) => boolean;
    /** Which routes there are. */
    methods: Methods;
    /** How many connections each address has. */
    peers: PeerConnections;
    /** What requests pass on their way to their handler; modules add to it while they start. */
    chain: Chain;
    /** The API's limits, for what carries it by another protocol. */
    limits: Static<typeof config>;
  }
}

export interface HttpOptions {
  readonly config: Static<typeof config>;
  readonly log: Logger;
  readonly durations: RequestDurations;
  readonly errors: ErrorCounts;
  /** Records nothing unless told. */
  readonly tracing?: Tracing;
}

/**
 * @param options settings, logger and metrics
 * @returns a server with limits, and problem details for every error; it does not listen yet
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { config, log, durations, errors, tracing = noTracing } = options;
  const answerError = errorHandler(errors);
  const readers = new Readers(config.HTTP_STALL_TIMEOUT_MS, () => errors.count('reader_stalled'));
  const requests = new Requests(config, tracing, new AccessLog(durations), readers);
  const trusts = networks('HTTP_TRUSTED_PROXIES', config.HTTP_TRUSTED_PROXIES);
  const peers = new PeerConnections({ most: config.HTTP_PEER_CONNECTIONS_MAX, isExempt: trusts });
  const bodies = new BodyMemory(config.HTTP_BODY_MEMORY_BYTES);
  const http: Http = fastify({
    loggerInstance: log,
    logController: new RequestLog(requests),
    // Lines name the request by themselves: see internal/platform/log/context.ts.
    childLoggerFactory: (logger, _bindings, own) => (own.level === undefined ? logger : logger.child({}, own)),
    genReqId: (request) => requests.contextOf(request).id,
    bodyLimit: config.HTTP_BODY_LIMIT_BYTES,
    trustProxy: config.HTTP_TRUSTED_PROXIES === '' ? false : trusts,
    serverFactory: (handler) => createNodeServer({ settings: config, peers, errors }, requests.entering(handler)),
    schemaController: { compilersFactory: { buildValidator } },
    clientErrorHandler: answerClientError,
    frameworkErrors: answerError,
  });
  http.setErrorHandler(answerError);
  http.decorate('trusts', trusts);
  http.decorate('peers', peers);
  http.decorate('chain', new Chain(http));
  http.decorate('limits', config);
  // In the order in which a request meets them.
  requests.watch(http);
  securityHeaders(http);
  await cors(http, config);
  admission(http, config, errors);
  jsonBody(http, (request, bytes) => bodies.hold(requests.contextOf(request), bytes));
  replyBody(http, config);
  http.addSchema(Problem);
  http.get('/version', { schema: { hide: true } }, () => about);
  return http;
}
