import type { IncomingMessage, ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, type RawServerDefault, fastify } from 'fastify';
import type { Static } from 'typebox';
import { tagsOf } from '../../pkg/errors/index.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/errors.ts';
import type { RequestDurations } from '../metrics/requests.ts';
import { answerClientError } from './clientError.ts';
import type { config } from './config.ts';
import { openapi } from './openapi.ts';
import { Problem, problem, problemOf, problemType, retryAfterOf } from './problem.ts';
import { requestIdHeader, requestIdOf } from './requestId.ts';
import { RequestLog } from './requestLog.ts';
import { buildValidator } from './validation.ts';

/** The API's server, on which modules register their routes while they start. */
export type Http = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, TypeBoxTypeProvider>;

export interface HttpOptions {
  readonly config: Static<typeof config>;
  readonly log: Logger;
  readonly durations: RequestDurations;
  readonly errors: ErrorCounts;
}

/**
 * @param options settings, logger and metrics
 * @returns a server with limits, problem details for every error, and its own description; it does not listen yet
 */
export async function createHttp({ config, log, durations, errors }: HttpOptions): Promise<Http> {
  const answerError = errorHandler(errors);
  const http: Http = fastify({
    loggerInstance: log,
    logController: new RequestLog(durations),
    genReqId: requestIdOf,
    bodyLimit: config.HTTP_BODY_LIMIT_BYTES,
    requestTimeout: config.HTTP_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: config.HTTP_KEEP_ALIVE_TIMEOUT_MS,
    http: {
      maxHeaderSize: config.HTTP_HEADER_LIMIT_BYTES,
      headersTimeout: config.HTTP_REQUEST_TIMEOUT_MS,
      // How often Node looks for requests that are overdue, in milliseconds.
      connectionsCheckingInterval: 1000,
    },
    schemaController: { compilersFactory: { buildValidator } },
    clientErrorHandler: answerClientError,
    frameworkErrors: answerError,
  });
  http.setErrorHandler(answerError);
  http.setNotFoundHandler((request, reply) => send(reply, request, problem(404, { code: 'route_not_found' })));
  http.addHook('onRequest', (request, reply, done) => {
    reply.header(requestIdHeader, request.id);
    done();
  });
  http.addSchema(Problem);
  await http.register(swagger, openapi);
  http.get('/openapi.json', { schema: { hide: true } }, () => http.swagger());
  return http;
}

/** Each error is answered, counted and logged here and nowhere else; those of callers at debug only. */
function errorHandler(errors: ErrorCounts) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = problemOf(error);
    errors.count(answer.code);
    request.log[answer.status >= 500 ? 'error' : 'debug']({ ...tagsOf(error), err: error }, 'request failed');
    const retryAfter = retryAfterOf(error);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    send(reply, request, answer);
  };
}

/** As a string: no route's response schema then leaves out a field. */
function send(reply: FastifyReply, { id }: FastifyRequest, answer: Problem): void {
  reply
    .code(answer.status)
    .headers({ 'content-type': problemType, [requestIdHeader]: id })
    .send(JSON.stringify({ ...answer, requestId: id }));
}
