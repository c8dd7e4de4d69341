import type { IncomingMessage, Server } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import createRouter, { type HTTPMethod } from 'find-my-way';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/module.ts';
import { bodyTooLarge, hasBody } from './body.ts';
import type { config } from './config.ts';
import { closeAfter, maxHeaders } from './connections.ts';
import { nodeHttp } from './nodeHttp.ts';
import { overloaded, type Problem, problem, problemOf, refusing, retrySeconds } from './problems.ts';
import type { Http } from './types.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods of each path. */
    methods: Methods;
  }
}

/**
 * Refuses requests before their body is read: unsafe heads (400, 417, 431), requests during overload (503), URLs that are too long
 * (414), unknown paths (404), methods that a path does not have (405), and bodies that are too large (413).
 * @param http the API's server, before it has routes
 * @param settings limits
 * @param errors counts refused requests
 */
export function admission(http: Http, settings: Static<typeof config>, errors: ErrorCounts): void {
  const { HTTP_EVENT_LOOP_DELAY_LIMIT_MS: maxDelayMs, HTTP_URL_LIMIT_BYTES: maxUrlBytes } = settings;
  const delayMs = eventLoopDelay(http.server);
  const methods = new Methods(http);
  http.decorate('methods', methods);
  const refuse = refusing(errors);
  const busy = problemOf(overloaded());

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
      closeAfter(reply);
      refuse(request, reply, fault);
    } else if (delayMs() > maxDelayMs) {
      reply.header('retry-after', retrySeconds);
      refuse(request, reply, busy);
    } else if (request.url.length > maxUrlBytes) {
      refuse(request, reply, problem(414, { code: 'url_too_long' }));
    } else if (request.callContext.refusal !== undefined && request.url !== '*') {
      refuse(request, reply, request.callContext.refusal.answer);
    } else if (request.url === '*' || isUnmatched(request)) {
      answerUnmatched(request, reply);
    } else if (isTooLarge(request, settings.HTTP_BODY_LIMIT_BYTES)) {
      refuse(request, reply, problemOf(bodyTooLarge(request.routeOptions.bodyLimit)));
    } else {
      if (request.headers['content-type'] !== undefined && isTypeIdle(request))
        delete request.raw.headers['content-type'];
      // A client that sent `Expect: 100-continue` sends its body only now.
      if (request.headers.expect !== undefined) reply.raw.writeContinue();
      done();
    }
  });
  // For handlers that call `reply.callNotFound()`.
  http.setNotFoundHandler(answerUnmatched);
}

/** Also a path with an empty parameter, such as `/items/`: in all routes it is another path than `/items`. */
function isUnmatched(request: FastifyRequest): boolean {
  if (request.is404 || hasEmptyParameter(request.params)) return true;
  // The route of @fastify/cors takes what no other route does.
  return request.method === 'OPTIONS' && request.routeOptions.url === '*';
}

function hasEmptyParameter(params: unknown): boolean {
  if (typeof params !== 'object' || params === null) return false;
  for (const name in params) if (name !== '*' && Reflect.get(params, name) === '') return true;
  return false;
}

/** Clients such as those for DELETE name a type although they send no body. */
function isTypeIdle({ raw, routeOptions }: FastifyRequest): boolean {
  return !hasBody(raw) && routeOptions.schema?.body === undefined;
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

/** Reads the limit of the route, which is slow, only for bodies above the usual limit. */
function isTooLarge(request: FastifyRequest, usualLimit: number): boolean {
  const length = Number(request.headers['content-length']);
  return length > usualLimit && length > request.routeOptions.bodyLimit;
}

/**
 * Finds faults in a head that Node's parser accepts. RFC 9112 forbids most of them, because a proxy in front of the service could
 * read such a head differently.
 */
function faultOfHead({ headers, rawHeaders, httpVersion }: IncomingMessage): Problem | undefined {
  // Names and values alternate in the array.
  if (rawHeaders.length > 2 * maxHeaders) return problem(431, { code: 'too_many_headers' });
  // RFC 9112, 3.2: exactly one.
  const hosts = countOf('host', rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return problem(400, { code: 'invalid_host' });
  const { 'transfer-encoding': encoding, expect } = headers;
  // RFC 9112, 6.1: HTTP/1.0 has no chunks, and no other coding is supported. The status is not 501, because the client is at fault.
  if (encoding !== undefined && (httpVersion !== '1.1' || encoding.toLowerCase() !== 'chunked')) {
    return problem(400, { code: 'invalid_transfer_encoding' });
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return problem(417, { code: 'unknown_expectation' });
  return undefined;
}

function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const each = rawHeaders[index];
    if (each?.length === name.length && each.toLowerCase() === name) count += 1;
  }
  return count;
}

/**
 * The methods of each path. Fastify's router answers an unknown method like an unknown path. This second router tells them apart; it
 * is used only for requests without a route.
 */
export class Methods {
  readonly #router = createRouter();
  readonly #methods = new Set<HTTPMethod>();

  /** @param http whose routes are added as they are registered */
  constructor(http: Http) {
    http.addHook('onRoute', ({ method, url }) => {
      // The route of @fastify/cors.
      if (url === '*') return;
      for (const each of [method].flat().filter(isMethod)) {
        if (this.#router.hasRoute(each, url)) continue;
        this.#router.on(each, url, () => undefined);
        this.#methods.add(each);
      }
    });
  }

  /**
   * @param method of a route
   * @param url its pattern
   * @returns whether the route exists, in any version
   */
  has(method: string, url: string): boolean {
    return isMethod(method) && this.#router.hasRoute(method, url);
  }

  /**
   * @param url path and query of a request
   * @returns the value of the Allow header (RFC 9110, 10.2.1); undefined when the path does not exist
   */
  allowed(url: string): string | undefined {
    const [path = ''] = url.split('?', 1);
    const methods = [...this.#methods].filter((method) => {
      // `OPTIONS *` asks about the whole server (RFC 9110, 9.3.7).
      if (path === '*') return true;
      const found = this.#router.find(method, path);
      return found !== null && !hasEmptyParameter(found.params);
    });
    return methods.length === 0 ? undefined : [...new Set([...methods, 'OPTIONS'])].toSorted().join(', ');
  }
}

function isMethod(method: string): method is HTTPMethod {
  return nodeHttp.METHODS.includes(method);
}
