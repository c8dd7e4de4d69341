import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/errors.ts';
import type { config } from './config.ts';
import { EventLoop } from './eventLoop.ts';
import { Methods } from './methods.ts';
import { type Problem, problem } from './problem.ts';
import { sendProblem } from './sendProblem.ts';
import type { Http } from './server.ts';

/** Seconds. */
const retryAfter = 1;

/**
 * Turns away what needs no handler, before its body is read: requests that the process has no time for (503), URLs that are too
 * long (414), paths that do not exist (404), methods that a path has not (405).
 * @param http the API's server, before it has routes
 * @param settings limits
 * @param errors counts who is turned away
 */
export function admission(http: Http, settings: Static<typeof config>, errors: ErrorCounts): void {
  const { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: mostDelayMs, HTTP_URL_LIMIT_BYTES: longestUrl } = settings;
  const eventLoop = new EventLoop(http.server);
  const methods = new Methods(http);

  const refuse = (request: FastifyRequest, reply: FastifyReply, answer: Problem): void => {
    errors.count(answer.code);
    sendProblem(request, reply, answer);
  };

  const answerUnmatched = (request: FastifyRequest, reply: FastifyReply): void => {
    const allowed = methods.allowed(request.url);
    if (allowed === undefined) {
      refuse(request, reply, problem(404, { code: 'route_not_found' }));
    } else if (request.method === 'OPTIONS') {
      reply.code(204).header('allow', allowed).send();
    } else {
      reply.header('allow', allowed);
      refuse(request, reply, problem(405, { code: 'method_not_allowed' }));
    }
  };

  http.addHook('onRequest', (request, reply, done) => {
    const isBusy = eventLoop.delayMs > mostDelayMs;
    const isLong = request.url.length > longestUrl;
    if (!isBusy && !isLong && !request.is404) return done();
    if (hasLongBody(request, settings.HTTP_BODY_LIMIT_BYTES)) reply.header('connection', 'close');
    if (isBusy) {
      reply.header('retry-after', retryAfter);
      refuse(request, reply, problem(503, { code: 'overloaded', detail: 'The service is busy. Try again.' }));
    } else if (isLong) {
      refuse(request, reply, problem(414, { code: 'url_too_long' }));
    } else {
      answerUnmatched(request, reply);
    }
  });
  // For handlers that call `reply.callNotFound()`.
  http.setNotFoundHandler(answerUnmatched);
}

/** Nobody will read such a body, and its client is not to go on sending it. */
function hasLongBody({ headers }: FastifyRequest, limit: number): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > limit;
}
