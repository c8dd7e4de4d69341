import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Http2Server, createServer } from 'node:http2';
import type { Static } from 'typebox';
import { problem, problemType } from '../http/problems.ts';
import { maxHeaders } from '../http/connections.ts';
import type { Http } from '../http/server.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import type { config } from './config.ts';
import { Reply, Request } from './messages.ts';

/** Headers of HTTP/2 itself: `:method`, `:scheme`, `:authority`, `:path`. */
const pseudoHeaders = 4;
/** Headers beyond the limit are told so in words up to this many times of it; beyond that HTTP/2 itself resets the request. */
const headerLeeway = 2;

/**
 * @param http the API's server, whose routes and limits these are
 * @param settings limits that only HTTP/2 has
 * @param errors counts who is turned away before there is a request
 * @returns Node's server of HTTP/2 in the same limits; it does not listen, and is given connections
 */
export function createHttp2(http: Http, settings: Static<typeof config>, errors: ErrorCounts): Http2Server {
  const headerLimit = http.limits.HTTP_HEADER_LIMIT_BYTES;

  const refuse = (reply: Reply, status: number, code: string): void => {
    errors.count(code);
    reply.writeHead(status, { 'content-type': problemType }).end(JSON.stringify(problem(status, { code })));
  };
  const answer = (request: Request, reply: Reply): void => {
    // Refused by who looks after all requests.
    if (request.stream.closed) return;
    if (request.headerBytes > headerLimit) refuse(reply, 431, 'headers_too_large');
    else if (request.method === 'CONNECT') refuse(reply, 405, 'method_not_allowed');
    else if (hasTwoHosts(request)) refuse(reply, 400, 'invalid_host');
    else route(http, request, reply);
  };

  return createServer({
    Http2ServerRequest: Request,
    Http2ServerResponse: Reply,
    maxHeaderListPairs: maxHeaders + pseudoHeaders + 1,
    settings: {
      maxConcurrentStreams: settings.HTTP2_STREAMS_MAX,
      maxHeaderListSize: headerLimit * headerLeeway,
      initialWindowSize: settings.HTTP2_WINDOW_BYTES,
    },
  })
    .on('request', answer)
    .on('checkContinue', answer)
    .on('checkExpectation', answer)
    .on('connect', answer);
}

/** RFC 9113, 8.3.1: who is in front of the service may have looked at the other one. */
function hasTwoHosts({ headers: { host, ':authority': authority } }: Request): boolean {
  return authority !== undefined && host !== authority;
}

/** Fastify takes both, and so does what stands on it; the types know those of HTTP/1.1. */
function route(http: Http, request: unknown, reply: unknown): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  http.routing(request as IncomingMessage, reply as ServerResponse);
}
