import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import { fastify } from 'fastify';
import { about } from '../app/about.ts';
import { admission, routerOptions } from './admission.ts';
import { jsonBody } from './body.ts';
import { networks } from './config.ts';
import { createNodeServer } from './connections.ts';
import { answerClientError, errorHandler, Problem, problemOf } from './problems.ts';
import { replies } from './replies.ts';
import { requestIdOf } from './requestContext.ts';
import { type HttpOptions, Requests } from './requests.ts';
import { Chain, type Http } from './types.ts';

export type { HttpOptions } from './requests.ts';
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

/** Takes ports from the addresses that proxies name: `203.0.113.9:4711`, `[2001:db8::1]:443`. */
function withoutPorts(forwarded: string): string {
  return forwarded.replaceAll(/(^|,)\s*(?:\[([^\],]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d*)?\s*(?=,|$)/g, '$1$2$3');
}

/**
 * @param options settings, logger, metrics and tracing
 * @returns the API's server with its limits and error handling; it does not listen yet
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { config, errors, log } = options;
  const requests = new Requests(options);
  const trusts = config.HTTP_TRUSTED_PROXIES === '' ? undefined : networks(config.HTTP_TRUSTED_PROXIES);
  const http: Http = fastify({
    loggerInstance: log,
    logController: requests,
    // The logger adds the request's id itself, from the context.
    childLoggerFactory: (logger, _bindings, own) => (own.level === undefined ? logger : logger.child({}, own)),
    genReqId: ({ headers }) => requestIdOf(headers),
    bodyLimit: config.HTTP_BODY_LIMIT_BYTES,
    routerOptions,
    trustProxy: trusts ?? false,
    serverFactory: (handler) => createNodeServer(config, errors, handler),
    schemaController: { compilersFactory: { buildValidator } },
    clientErrorHandler(error, socket) {
      const answer = answerClientError(error, socket);
      if (answer !== undefined) requests.recordUnrouted({ ...answer, code: 'malformed_request' });
    },
    frameworkErrors: (error, request, reply) => http.refuse(request.raw, reply.raw, problemOf(error)),
  });
  http.setErrorHandler(errorHandler(errors));
  http.decorate('chain', new Chain(http));
  http.decorate('limits', config);
  http.decorate('refuse', (request, response, answer) => requests.refuse(request, response, answer));
  // Requests pass the hooks in this order.
  if (trusts !== undefined) {
    http.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
      const { 'x-forwarded-for': forwarded } = headers;
      if (typeof forwarded === 'string') headers['x-forwarded-for'] = withoutPorts(forwarded);
      done();
    });
  }
  requests.addHooks(http);
  admission(http, config.HTTP_EVENT_LOOP_DELAY_LIMIT_MS, errors);
  jsonBody(http, config.HTTP_BODY_MEMORY_BYTES);
  replies(http, config.HTTP_BODY_LIMIT_BYTES);
  http.addSchema(Problem);
  http.get('/version', { schema: { hide: true } }, () => about);
  return http;
}
