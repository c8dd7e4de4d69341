import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  constants,
  createServer,
} from 'node:http2';
import type { ReadableOptions } from 'node:stream';
import { maxHeaders, nodeHttp } from '../http/connections.ts';
import { problem } from '../http/problems.ts';
import type { Http } from '../http/server.ts';

/** `:method`, `:scheme`, `:authority`, `:path`. */
const pseudoHeaders = 4;
/** HTTP/2 itself resets requests beyond this many times the header limit; below it the reply is 431. */
const headerLeeway = 2;
/** Bytes that HTTP/2 adds to the size of each header (RFC 9113, 6.5.2). */
const headerOverhead = 32;

/** An HTTP/2 request that looks like Node's HTTP/1.1 request to Fastify. */
export class Request extends Http2ServerRequest {
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    rawHeaders: readonly string[],
  ) {
    super(stream, headers, options, rawHeaders);
    // RFC 9113, 8.3.1: `:authority` takes the place of `host`.
    headers.host ??= headers[':authority'];
  }

  /** Size of the headers as HTTP/2 counts it, in bytes. */
  get headerBytes(): number {
    const { rawHeaders } = this;
    return rawHeaders.reduce((bytes, text) => bytes + text.length, (rawHeaders.length / 2) * headerOverhead);
  }
}

/** An HTTP/2 reply that looks like Node's HTTP/1.1 reply to Fastify. */
export class Reply extends Http2ServerResponse<Request> {
  constructor(stream: ServerHttp2Stream) {
    super(stream);
    if (stream.endAfterHeaders) return;
    // The rest of the request's body is not read: the client may stop sending it (RFC 9113, 8.1).
    stream.once('finish', () => {
      if (!this.req.complete) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  /** Without an error, Node would end the stream as if the reply were complete. */
  override destroy(error = new Error('the reply was broken off')): this {
    super.destroy(error);
    return this;
  }

  /** Node emits 'finish' for every closed stream, also for one that was reset. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    return event === 'finish' && !this.writableFinished ? false : super.emit(event, ...args);
  }
}

// TypeScript declares these as fields, which a subclass cannot override with accessors.
Object.defineProperty(Request.prototype, 'complete', {
  /** In Node it means that the body was read. An empty body is never read. */
  get(this: Request): boolean {
    return this.stream.endAfterHeaders || Reflect.get(Http2ServerRequest.prototype, 'complete', this);
  },
});
Object.defineProperties(Reply.prototype, {
  /** Why the service broke it off; null when it did not. A reset, or a lost connection, is caused by the client. */
  errored: {
    get(this: Reply): Error | null {
      const { errored } = this.stream;
      return errored === null || isHttp2Error(errored) ? null : errored;
    },
  },
  /** False for a stream that the client reset, which Node ends as well. */
  writableFinished: {
    get(this: Reply): boolean {
      const { aborted, rstCode, writableFinished } = this.stream;
      return writableFinished && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
    },
  },
  closed: {
    get(this: Reply): boolean {
      return this.stream.destroyed;
    },
  },
});

/**
 * @param error that ended a stream or a connection
 * @returns whether it is an error of the protocol, rather than of the network or of a handler
 */
export function isHttp2Error(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('ERR_HTTP2_');
}

const methods = new Set(nodeHttp.METHODS);

/**
 * @param http the API's server, with its routes and limits
 * @param maxStreams maximum of concurrent requests on one connection
 * @returns Node's HTTP/2 server; it does not listen
 */
export function createHttp2(http: Http, maxStreams: number): Http2Server {
  const headerLimit = http.limits.HTTP_HEADER_LIMIT_BYTES;
  const refuse = (request: Request, reply: Reply, status: number, code: string): void =>
    http.refuse(...asHttp1(request, reply), problem(status, { code }));
  const answer = (request: Request, reply: Reply): void => {
    const { host, ':authority': authority } = request.headers;
    // `Sessions` has refused it.
    if (request.stream.closed) return;
    if (request.headerBytes > headerLimit) refuse(request, reply, 431, 'headers_too_large');
    else if (request.method === 'CONNECT') refuse(request, reply, 405, 'method_not_allowed');
    // Node's parser of HTTP/1.1 refuses these too.
    else if (!methods.has(request.method)) refuse(request, reply, 400, 'unknown_method');
    // RFC 9113, 8.3.1: a proxy before the service may have checked the other one.
    else if (authority !== undefined && host !== authority) refuse(request, reply, 400, 'invalid_host');
    else http.routing(...asHttp1(request, reply));
  };
  return createServer({
    Http2ServerRequest: Request,
    Http2ServerResponse: Reply,
    maxHeaderListPairs: maxHeaders + pseudoHeaders + 1,
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: headerLimit * headerLeeway },
  })
    .on('request', answer)
    .on('checkExpectation', answer)
    .on('connect', answer);
}

/** Fastify accepts HTTP/2 requests; its types name those of HTTP/1.1. */
function asHttp1(request: unknown, reply: unknown): [IncomingMessage, ServerResponse] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return [request as IncomingMessage, reply as ServerResponse];
}
