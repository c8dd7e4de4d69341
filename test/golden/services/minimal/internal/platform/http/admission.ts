import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/module.ts';
import { bodyTooLarge } from './body/bodyErrors.ts';
import type { config } from './config.ts';
import { EventLoop } from './eventLoop.ts';
import { Methods } from './methods.ts';
import { overloaded, retryAfter } from './problems/overloaded.ts';
import { problem, problemOf } from './problems/problem.ts';
import { refusing } from './problems/refuse.ts';
import { askToLeave } from './replies/askToLeave.ts';
import { faultOfHead } from './requests/requestHead.ts';
import type { Http } from './server.ts';

/**
 * Turns away what needs no handler, before its body is read: heads that are not to be trusted (400, 417, 431), requests that
 * the process has no time for (503), URLs that are too long (414), paths that do not exist (404), methods that a path has not
 * (405), bodies that are too large (413).
 * @param http the API's server, before it has routes
 * @param settings limits
 * @param errors counts who is turned away
 */
export function admission(http: Http, settings: Static<typeof config>, errors: ErrorCounts): void {
  const { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: mostDelayMs, HTTP_URL_LIMIT_BYTES: longestUrl } = settings;
  const eventLoop = new EventLoop(http.server);
  const methods = new Methods(http);
  http.decorate('methods', methods);
  const refuse = refusing(errors);

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
    const fault = faultOfHead(request.raw);
    if (fault !== undefined) {
      askToLeave(reply);
      refuse(request, reply, fault);
    } else if (eventLoop.delayMs > mostDelayMs) {
      reply.header('retry-after', retryAfter);
      refuse(request, reply, problemOf(overloaded()));
    } else if (request.url.length > longestUrl) {
      refuse(request, reply, problem(414, { code: 'url_too_long' }));
    } else if (request.is404) {
      answerUnmatched(request, reply);
    } else if (isTooLarge(request, settings.HTTP_BODY_LIMIT_BYTES)) {
      refuse(request, reply, problemOf(bodyTooLarge(request.routeOptions.bodyLimit)));
    } else {
      // Who asks first whether to send its body is told now: what is refused above is never sent.
      if (request.headers.expect !== undefined) reply.raw.writeContinue();
      done();
    }
  });
  // For handlers that call `reply.callNotFound()`.
  http.setNotFoundHandler(answerUnmatched);
}

/** A route may have a limit of its own; to ask for it costs more than most requests need. */
function isTooLarge(request: FastifyRequest, usualLimit: number): boolean {
  const length = Number(request.headers['content-length']);
  return length > usualLimit && length > request.routeOptions.bodyLimit;
}
