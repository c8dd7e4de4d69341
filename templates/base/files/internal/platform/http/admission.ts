import type { IncomingMessage, Server } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import createRouter, { type HTTPMethod } from 'find-my-way';
import type { ErrorCounts } from '../metrics/module.ts';
import { hasBody } from './body.ts';
import { closeAfter, maxHeaders, nodeHttp } from './connections.ts';
import { overloaded, type Problem, problem, problemOf, refusing, retrySeconds } from './problems.ts';
import type { Http } from './types.ts';

/** A slash at the end of a path, or two in a row, make no difference, for any route. */
export const routerOptions = { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true };

/**
 * Refuses requests before their body is read: unsafe heads (400, 431), requests during overload (503), unknown paths (404), and methods
 * that a path does not have (405).
 * @param http the API's server, before it has routes
 * @param maxDelayMs HTTP_EVENT_LOOP_DELAY_LIMIT_MS
 * @param errors counts refused requests
 */
export function admission(http: Http, maxDelayMs: number, errors: ErrorCounts): void {
  const delayMs = eventLoopDelay(http.server);
  const allowedMethods = methodsByPath(http);
  const refuse = refusing(errors);
  const busy = problemOf(overloaded());

  const answerUnmatched = (request: FastifyRequest, reply: FastifyReply): void => {
    // A request with a route has a handler that calls `reply.callNotFound()`: its path has the method.
    const allowed = request.callContext.route === undefined ? allowedMethods(request.url) : undefined;
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
      closeAfter(reply);
      refuse(request, reply, fault);
    } else if (delayMs() > maxDelayMs) {
      reply.header('retry-after', retrySeconds);
      refuse(request, reply, busy);
    } else if (request.is404) {
      answerUnmatched(request, reply);
    } else {
      // Clients such as those for DELETE name a type although they send no body.
      if (request.headers['content-type'] !== undefined && !hasBody(request.raw))
        delete request.raw.headers['content-type'];
      done();
    }
  });
  // For these handlers. Log and metrics name their route, as for any other reply.
  http.setNotFoundHandler(answerUnmatched);
}

/** Milliseconds between two measurements. */
const measureMs = 100;

/** @returns how many milliseconds late the last timer was while the server listens, which is how late its replies are */
function eventLoopDelay(server: Server): () => number {
  let delayMs = 0;
  server.once('listening', () => {
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      delayMs = now - last - measureMs;
      last = now;
    }, measureMs).unref();
    server.once('close', () => clearInterval(timer));
  });
  return () => delayMs;
}

/**
 * Finds faults in a head that Node's parser accepts. RFC 9112 forbids most of them, because a proxy in front of the service could
 * read such a head differently.
 */
function faultOfHead({ headers, rawHeaders, httpVersion }: IncomingMessage): Problem | undefined {
  // Names and values alternate in the array.
  if (rawHeaders.length > 2 * maxHeaders) return problem(431, { code: 'too_many_headers' });
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') hosts += 1;
  // RFC 9112, 3.2: exactly one.
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return problem(400, { code: 'invalid_host' });
  // RFC 9112, 6.1: HTTP/1.0 has no chunks, and no other coding is supported. The status is not 501, because the client is at fault.
  const { 'transfer-encoding': encoding } = headers;
  if (encoding === undefined || (httpVersion === '1.1' && encoding.toLowerCase() === 'chunked')) return undefined;
  return problem(400, { code: 'invalid_transfer_encoding' });
}

/**
 * Fastify's router answers an unknown method like an unknown path. A second router tells them apart; it is used only for requests without
 * a route.
 * @returns gives the value of the Allow header (RFC 9110, 10.2.1) for a URL; undefined when the path does not exist
 */
function methodsByPath(http: Http): (url: string) => string | undefined {
  const router = createRouter(routerOptions);
  http.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat().filter(isMethod))
      if (!router.hasRoute(each, url)) router.on(each, url, () => undefined);
  });
  return (url) => {
    const [path = ''] = url.split('?', 1);
    const methods = nodeHttp.METHODS.filter((method) => isMethod(method) && router.find(method, path) !== null);
    return methods.length === 0 ? undefined : [...new Set([...methods, 'OPTIONS'])].toSorted().join(', ');
  };
}

function isMethod(method: string): method is HTTPMethod {
  return nodeHttp.METHODS.includes(method);
}
