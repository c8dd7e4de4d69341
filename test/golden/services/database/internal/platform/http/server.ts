import type { IncomingMessage, ServerResponse } from 'node:http';
import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify, type FastifyInstance, type RawServerDefault } from 'fastify';
import type { Static } from 'typebox';
import { headerNames } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { noTracing, type Tracing } from '../app/tracing.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import type { RequestDurations } from '../metrics/requests.ts';
import { admission } from './admission.ts';
import { BodyMemory, jsonBody } from './body.ts';
import { Chain } from './chain.ts';
import type { config } from './config.ts';
import { createNodeServer, networks, PeerConnections } from './connections.ts';
import { cors, type Methods } from './cors.ts';
import { answerClientError, errorHandler, Problem } from './problems.ts';
import { replyBody } from './replies.ts';
import { AccessLog, Readers, RequestLog, Requests } from './requests.ts';

const compiler = AjvCompiler();

/**
 * For Fastify's `schemaController`: validates by JSON Schema and changes nothing. An unknown field is not dropped in silence,
 * and `"5"` in a body is no number; what comes in a URL or a header is text, so there a number may be written as such.
 * Only the first fault is reported: to collect them all would let a small request cost much.
 */
export const buildValidator: BuildCompilerFromPool = (schemas) => {
  const exact = compiler(schemas, { customOptions: { removeAdditional: false, coerceTypes: false } });
  const converting = compiler(schemas, { customOptions: { removeAdditional: false, coerceTypes: 'array' } });
  return (route) => (isBody(route) ? exact : converting)(route);
};

function isBody(route: object | boolean): boolean {
  return typeof route === 'object' && 'httpPart' in route && route.httpPart === 'body';
}

/**
 * What OWASP's REST Security Cheat Sheet asks of an API: nothing in a reply is to be run, framed, sniffed or embedded elsewhere.
 * A route that serves a page sets a policy of its own.
 */
const securityHeaderValues = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/**
 * Sets the request's id and the security headers on every reply. Not @fastify/helmet: one hook and one constant object cost a third
 * of it.
 * @param http the API's server
 */
export function securityHeaders(http: Http): void {
  http.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaderValues).header(headerNames.id, request.id);
    done();
  });
}

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
