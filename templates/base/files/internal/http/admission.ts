import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { config } from './config.ts';
import { EventLoop } from './eventLoop.ts';
import { Methods } from './methods.ts';
import { problem } from './problem.ts';
import { sendProblem } from './sendProblem.ts';
import type { Http } from './server.ts';

/** Seconds. */
const retryAfter = 1;

/**
 * Turns away what needs no handler, before its body is read: requests that the process has no time for (503), URLs that are too
 * long (414), paths that do not exist (404), methods that a path has not (405).
 * @param http the API's server, before it has routes
 * @param settings limits
 */
export function admission(http: Http, settings: Static<typeof config>): void {
  const { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: mostDelayMs, HTTP_URL_LIMIT_BYTES: mostBytes } = settings;
  const eventLoop = new EventLoop(http.server);
  const methods = new Methods(http);

  const answerUnmatched = (request: FastifyRequest, reply: FastifyReply): void => {
    const allowed = methods.allowed(request.url);
    if (allowed === undefined) {
      sendProblem(request, reply, problem(404, { code: 'route_not_found' }));
    } else if (request.method === 'OPTIONS') {
      reply.code(204).header('allow', allowed).send();
    } else {
      reply.header('allow', allowed);
      sendProblem(request, reply, problem(405, { code: 'method_not_allowed' }));
    }
  };

  http.addHook('onRequest', (request, reply, done) => {
    if (eventLoop.delayMs > mostDelayMs) {
      reply.header('retry-after', retryAfter);
      sendProblem(request, reply, problem(503, { code: 'overloaded', detail: 'The service is busy. Try again.' }));
    } else if (request.url.length > mostBytes) {
      sendProblem(request, reply, problem(414, { code: 'url_too_long' }));
    } else if (request.is404) {
      answerUnmatched(request, reply);
    } else {
      done();
    }
  });
  // For handlers that call `reply.callNotFound()`.
  http.setNotFoundHandler(answerUnmatched);
}
