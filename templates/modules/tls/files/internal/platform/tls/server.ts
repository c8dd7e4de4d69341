import type { IncomingMessage, ServerResponse } from 'node:http';
import { Http2ServerRequest, Http2ServerResponse, type ServerHttp2Session, constants, createServer } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { cutOffLater, maxHeaders, nodeHttp } from '../http/connections.ts';
import { problem } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { ErrorCounts } from '../metrics/module.ts';

/** `:method`, `:scheme`, `:authority`, `:path`. */
const pseudoHeaders = 4;
/** A GOAWAY with the largest stream id announces the end and refuses no request (RFC 9113, 6.8). */
const largestStreamId = 2 ** 31 - 1;
/** Milliseconds after which a client that answers no ping is assumed to have no request on its way. */
const pingTimeoutMs = 500;
/** Milliseconds between two checks of all requests in progress. */
const sweepMs = 1000;
/** Bytes of a reply that a client must read within HTTP_STALL_TIMEOUT_MS: the window of HTTP/2 (RFC 9113, 6.9.2). */
const windowBytes = 65_535;
/** Headers of an HTTP/1.1 connection (RFC 9113, 8.2.2), which a handler may pass on from another service. */
const connectionHeaders = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** All but that of a tunnel. */
const methods = new Set(nodeHttp.METHODS.filter((method) => method !== 'CONNECT'));

/** An HTTP/2 request that looks like Node's HTTP/1.1 request to Fastify. */
class Request extends Http2ServerRequest {}

/** An HTTP/2 reply that looks like Node's HTTP/1.1 reply to Fastify. */
class Reply extends Http2ServerResponse<Request> {
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

/** Whether an error is one of the protocol, rather than of the network or of a handler. */
function isHttp2Error(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('ERR_HTTP2_');
}

export interface Http2Options {
  /** Maximum of concurrent requests on one connection. */
  readonly maxStreams: number;
  /** Counts what clients do wrong. */
  readonly errors: ErrorCounts;
}

/** What the last check found. */
interface Progress {
  readonly begunAt: number;
  /** Bytes of the reply that wait, and since when it has been as many. */
  waiting: number;
  since: number;
}

/**
 * Serves the API by HTTP/2. Node and nghttp2 end connections that flood; here are the limits of HTTP/1.1 that they do not know: requests at
 * the same time, clients that do not read, and idle connections.
 */
export class Http2 {
  readonly #http: Http;
  readonly #options: Http2Options;
  readonly #server;
  /** Each with its end. */
  readonly #sessions = new Map<ServerHttp2Session, Promise<void>>();
  readonly #leaving = new WeakSet<ServerHttp2Session>();
  readonly #requests = new Map<Request, Progress>();
  readonly #sweeper = setInterval(() => this.#sweep(performance.now()), sweepMs).unref();
  #isDraining = false;

  /**
   * @param http the API's server, with its routes and limits
   * @param options further limits
   */
  constructor(http: Http, options: Http2Options) {
    this.#http = http;
    this.#options = options;
    const answer = (request: Request, reply: Reply): void => this.#answer(request, reply);
    this.#server = createServer({
      Http2ServerRequest: Request,
      Http2ServerResponse: Reply,
      maxHeaderListPairs: maxHeaders + pseudoHeaders,
      settings: {
        maxConcurrentStreams: options.maxStreams,
        maxHeaderListSize: nodeHttp.maxHeaderSize,
      },
    })
      .on('request', answer)
      .on('connect', answer)
      .on('checkExpectation', answer)
      .on('sessionError', (error) => {
        if (isHttp2Error(error)) options.errors.count('malformed_request');
      });
    http.addHook('onSend', ({ raw: { httpVersionMajor } }, reply, payload, done) => {
      if (httpVersionMajor === 2) for (const name of connectionHeaders) reply.removeHeader(name);
      done(null, payload);
    });
  }

  /** @param socket of a client that has chosen HTTP/2 */
  accept(socket: TLSSocket): void {
    this.#server.once('session', (session) => this.#watch(session, socket));
    this.#server.emit('connection', socket);
  }

  /**
   * Asks every client to leave. Requests in progress, and requests on their way, are answered.
   * @param signal aborts at the deadline; remaining connections are then destroyed
   * @returns when all connections are closed
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    const cutOff = (): void => {
      const error = new Error('the service stopped');
      for (const session of this.#sessions.keys()) session.destroy(error, constants.NGHTTP2_CANCEL);
    };
    signal.addEventListener('abort', cutOff);
    for (const session of this.#sessions.keys()) this.#leave(session);
    await Promise.all(this.#sessions.values());
    signal.removeEventListener('abort', cutOff);
    clearInterval(this.#sweeper);
  }

  #watch(session: ServerHttp2Session, socket: TLSSocket): void {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#sessions.set(session, closed);
    session.once('close', () => {
      this.#sessions.delete(session);
      resolve();
    });
    // Node waits without limit for the client to close its side too.
    const destroy = session.destroy.bind(session);
    session.destroy = (...reason) => {
      cutOffLater(socket);
      destroy(...reason);
    };
    session.setTimeout(this.#http.limits.HTTP_KEEP_ALIVE_TIMEOUT_MS, () => this.#leave(session));
    // The handshake was in progress when the drain began.
    if (this.#isDraining) this.#leave(session);
  }

  /**
   * Asks the client to leave, and loses no request. The GOAWAY of Node's `session.close()` names the last request known at that moment, and
   * clients treat requests that are on their way as refused. So it is sent when these have arrived (decision 031).
   */
  #leave(session: ServerHttp2Session): void {
    if (session.destroyed || this.#leaving.has(session)) return;
    this.#leaving.add(session);
    const close = session.close.bind(session);
    // Node calls `close` when the client answers with its own GOAWAY, and that would lose requests.
    session.close = () => undefined;
    session.goaway(constants.NGHTTP2_NO_ERROR, largestStreamId);
    // The first answer shows that the client has read the GOAWAY, the second one that all it had sent before has arrived.
    session.ping(() => {
      if (!session.destroyed) session.ping(() => close());
    });
    // An idle client of Node's does not answer pings after GOAWAY.
    setTimeout(close, pingTimeoutMs).unref();
  }

  #answer(request: Request, reply: Reply): void {
    const { headers, stream } = request;
    if (this.#requests.size >= this.#http.limits.HTTP_CONNECTIONS_MAX) {
      this.#options.errors.count('too_many_requests');
      // The client may send it again: nothing was done for it (RFC 9113, 8.7).
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    // Node's parser of HTTP/1.1 refuses these too.
    if (!methods.has(request.method)) {
      this.#http.refuse(...asHttp1(request, reply), problem(400, { code: 'unknown_method' }));
      return;
    }
    const now = performance.now();
    const progress: Progress = { begunAt: now, waiting: 0, since: now };
    this.#requests.set(request, progress);
    stream.once('close', () => this.#requests.delete(request));
    // As many bytes may wait as before, although the client has read some.
    stream.on('drain', () => (progress.since = performance.now()));
    // The rest of the request's body is not read: the client may stop sending it (RFC 9113, 8.1).
    stream.once('finish', () => {
      if (!request.complete) stream.close(constants.NGHTTP2_NO_ERROR);
    });
    // RFC 9113, 8.3.1: `:authority` takes the place of `host`.
    headers.host = headers[':authority'] ?? headers.host;
    this.#http.routing(...asHttp1(request, reply));
  }

  /**
   * Gives up requests whose client does not read or send. Node's timeout of a stream starts again with each frame of its connection, also with
   * those of other streams, and with each byte of a body.
   */
  #sweep(now: number): void {
    const { HTTP_REQUEST_TIMEOUT_MS: requestMs, HTTP_STALL_TIMEOUT_MS: stallMs } = this.#http.limits;
    for (const [{ stream }, progress] of this.#requests) {
      const { writableLength: waiting } = stream;
      if (waiting === 0 || waiting !== progress.waiting) Object.assign(progress, { waiting, since: now });
      // Bytes that were written at once count as waiting until all of them are read.
      const isUnread = now - progress.since > stallMs * Math.ceil(waiting / windowBytes);
      const isDue = now - progress.begunAt > requestMs && stream.state.remoteClose === 0;
      if (!isUnread && !isDue) continue;
      this.#options.errors.count(isUnread ? 'reader_stalled' : 'request_timeout');
      stream.destroy();
    }
  }
}

/** Fastify accepts HTTP/2 requests; its types name those of HTTP/1.1. */
function asHttp1(request: unknown, reply: unknown): [IncomingMessage, ServerResponse] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return [request as IncomingMessage, reply as ServerResponse];
}
