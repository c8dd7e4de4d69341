import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import { fastify } from 'fastify';
import type { Static } from 'typebox';
import { headerNames } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import type { Logger } from '../log/logger.ts';
import { admission } from './admission.ts';
import { BodyMemory, jsonBody } from './body.ts';
import type { config } from './config.ts';
import { createNodeServer, networks, PeerConnections } from './connections.ts';
import { answerClientError, errorHandler, Problem, problemOf } from './problems.ts';
import { replyBody } from './replies.ts';
import { Requests, type RequestsOptions } from './requests.ts';
import { Chain, type Http } from './types.ts';

export type { Http } from './types.ts';

const compiler = AjvCompiler();

/**
 * Validates without changing the input: unknown fields are refused, and `"5"` in a body is not a number. A URL or a header holds
 * only text, so a number is converted there. Only the first fault is reported: to collect all of them can be expensive. Schemas are not
 * validated as a whole, because each compiler would compile the schema of schemas at start. A keyword that is not valid fails anyway.
 */
const buildValidator: BuildCompilerFromPool = (schemas) => {
  const options = { removeAdditional: false, validateSchema: false };
  const exact = compiler(schemas, { customOptions: { ...options, coerceTypes: false } });
  const converting = compiler(schemas, { customOptions: { ...options, coerceTypes: 'array' } });
  return (route) => (isBody(route) ? exact : converting)(route);
};

function isBody(route: object | boolean): boolean {
  return typeof route === 'object' && 'httpPart' in route && route.httpPart === 'body';
}

/** From OWASP's REST Security Cheat Sheet. A route that serves a page sets its own policy. @fastify/helmet is slower: decision 020. */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Lets pages of the configured origins read replies. Without origins, the plugin is not loaded. */
async function cors(http: Http, settings: Static<typeof config>): Promise<void> {
  const { CORS_ORIGINS: origins, CORS_CREDENTIALS: credentials } = settings;
  if (origins === undefined) return;
  const { default: plugin } = await import('@fastify/cors');
  // Seconds. Browsers use two hours at most.
  const options = { origin: origins === '*' ? '*' : origins.split(/\s*,\s*/), credentials, maxAge: 7200 };
  await http.register(plugin, {
    delegator({ method, url, headers }, done) {
      const isPreflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
      // Admission answers other OPTIONS requests, and those for paths that do not exist.
      const methods = isPreflight && headers.origin !== undefined ? http.methods.allowed(url) : undefined;
      done(null, {
        ...options,
        exposedHeaders: http.exposedHeaders,
        methods: methods ?? '',
        preflight: methods !== undefined,
      });
    },
  });
}

/** Takes ports from the addresses that proxies name: `203.0.113.9:4711`, `[2001:db8::1]:443`. */
function withoutPorts(forwarded: string): string {
  return forwarded.replaceAll(/(^|,)\s*(?:\[([^\],]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d*)?\s*(?=,|$)/g, '$1$2$3');
}

export interface HttpOptions extends RequestsOptions {
  readonly log: Logger;
}

/**
 * @param options settings, logger, metrics and tracing
 * @returns the API's server with its limits and error handling; it does not listen yet
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { config, errors, log } = options;
  const answerError = errorHandler(errors);
  const requests = new Requests(options);
  const trusts = networks('HTTP_TRUSTED_PROXIES', config.HTTP_TRUSTED_PROXIES);
  const peers = new PeerConnections({ max: config.HTTP_PEER_CONNECTIONS_MAX, isExempt: trusts });
  const bodies = new BodyMemory(config.HTTP_BODY_MEMORY_BYTES);
  const http: Http = fastify({
    loggerInstance: log,
    logController: requests,
    // The logger adds the request's id itself, from the context.
    childLoggerFactory: (logger, _bindings, own) => (own.level === undefined ? logger : logger.child({}, own)),
    genReqId: (request) => requests.idOf(request),
    bodyLimit: config.HTTP_BODY_LIMIT_BYTES,
    trustProxy: config.HTTP_TRUSTED_PROXIES === '' ? false : trusts,
    serverFactory: (handler) => createNodeServer({ settings: config, peers, errors }, requests.entering(handler)),
    schemaController: { compilersFactory: { buildValidator } },
    clientErrorHandler(error, socket) {
      const status = answerClientError(error, socket, securityHeaders);
      if (status === undefined) return;
      options.durations.record('', 'unmatched', status, 0);
      errors.count('malformed_request');
      log.info({ route: 'unmatched', status }, 'request');
    },
    frameworkErrors: (error, request, reply) => http.refuse(request.raw, reply.raw, problemOf(error)),
  });
  http.setErrorHandler(answerError);
  http.decorate('trusts', trusts);
  http.decorate('peers', peers);
  http.decorate('chain', new Chain(http));
  http.decorate('limits', config);
  http.decorate('exposedHeaders', ['etag', 'location', 'retry-after', 'x-request-id']);
  // Requests pass the hooks in this order.
  if (config.HTTP_TRUSTED_PROXIES !== '') {
    http.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
      const { 'x-forwarded-for': forwarded } = headers;
      if (typeof forwarded === 'string') headers['x-forwarded-for'] = withoutPorts(forwarded);
      done();
    });
  }
  requests.addHooks(http);
  http.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders).header(headerNames.id, request.id);
    done();
  });
  await cors(http, config);
  admission(http, config, errors);
  jsonBody(http, (request, bytes) => bodies.hold(request.callContext, bytes));
  replyBody(http, config);
  http.addSchema(Problem);
  http.get('/version', { schema: { hide: true } }, () => about);
  return http;
}
