import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { ErrorCounts } from '../metrics/module.ts';
import { bodyTooLarge } from './body.ts';
import type { config } from './config.ts';
import { Methods } from './cors.ts';
import { overloaded, type Problem, problem, problemOf, refusing, retrySeconds } from './problems.ts';
import { askToLeave, mostHeaders } from './connections.ts';
import type { Http } from './server.ts';

/** Milliseconds between two looks. */
const interval = 100;

/**
 * Watches how late the event loop is while a server listens: as late as its timers are, so late are its replies.
 */
export class EventLoop {
  #delayMs = 0;

  /** @param server of node:http; begins when it listens, ends when it closes */
  constructor(server: Server) {
    server.once('listening', () => {
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        this.#delayMs = now - last - interval;
        last = now;
      }, interval).unref();
      server.once('close', () => clearInterval(timer));
    });
  }

  /** Milliseconds by which the last look was late. */
  get delayMs(): number {
    return this.#delayMs;
  }
}

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
      reply.header('retry-after', retrySeconds);
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

/**
 * Looks for what Node's parser lets through although RFC 9112 does not, or nobody could carry out. Who is in front of the service
 * may read such a head in another way than the service does.
 * @param request as it came in; its server takes note of one header more than the limit, no further ones
 * @returns what is wrong with its head, if anything is; the connection is then of no more use
 */
export function faultOfHead({ headers, rawHeaders, httpVersion }: IncomingMessage): Problem | undefined {
  // Names and values take turns.
  if (rawHeaders.length > 2 * mostHeaders) return problem(431, { code: 'too_many_headers' });
  // RFC 9112, 3.2: exactly one.
  const hosts = countOf('host', rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return problem(400, { code: 'invalid_host' });
  const { 'transfer-encoding': encoding, expect } = headers;
  // RFC 9112, 6.1: HTTP/1.0 knows of no chunks, and no other coding is known here. Not 501: it is no fault of the service.
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
