import type { IncomingMessage, RequestListener } from 'node:http';
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Static } from 'typebox';
import { current, givenUp, outOfTime, runWith } from '../../../pkg/context/index.ts';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { noTracing, type Tracing } from '../app/tracing.ts';
import type { ErrorCounts, RequestDurations } from '../metrics/module.ts';
import { isBodyDue } from './body.ts';
import type { config } from './config.ts';
import { ClientFault } from './connections.ts';
import { problemOf } from './problems.ts';
import { RequestContext, requestIdOf } from './requestContext.ts';
import type { Http } from './types.ts';

declare module 'fastify' {
  interface FastifyRequest {
    callContext: RequestContext;
  }
  interface FastifyContextConfig {
    /** Time limit of the route in milliseconds, instead of HTTP_DEADLINE_MS; Infinity for a reply without an end. */
    deadlineMs?: number;
  }
}

/** Milliseconds between two checks of all requests in progress. */
const sweepMs = 50;
/** The status in the log of a request whose client left before the reply. No client gets it; nginx uses the same. */
const clientClosedRequest = 499;

export interface RequestsOptions {
  readonly config: Static<typeof config>;
  readonly tracing: Tracing;
  readonly durations: RequestDurations;
  readonly errors: ErrorCounts;
}

/**
 * All requests of one server. Each one gets a context, a 504 at its deadline, one line in the access log and one observation in
 * the metrics. Fastify reports the ends of requests to its `LogController`, which this is.
 */
export class Requests extends LogController {
  readonly #options: RequestsOptions;
  /**
   * Requests that are not in the access log yet. One timer checks all of them. A timer or a listener for each one costs a tenth of
   * the throughput.
   */
  readonly #inProgress = new Map<RequestContext, FastifyReply>();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: RequestsOptions) {
    super();
    this.#options = options;
  }

  /**
   * @param handler of Fastify
   * @returns a handler that runs in the context of the request. To enter the context in a hook would cost more
   */
  entering(handler: RequestListener): RequestListener {
    return (request, response) => {
      runWith(this.contextOf(request), handler, request, response);
    };
  }

  /** @returns the id of a request, for Fastify */
  idOf(request: IncomingMessage): string {
    return enteredContext(request)?.id ?? requestIdOf(request.headers);
  }

  /** @returns the context that the request has entered, or else a new one */
  contextOf(request: IncomingMessage, id = requestIdOf(request.headers)): RequestContext {
    return enteredContext(request) ?? new RequestContext({ ...this.#options, request, id });
  }

  /** @param http the server; its other hooks must be added later */
  addHooks(http: Http): void {
    const { tracing } = this.#options;
    http.decorateRequest('callContext');
    http.addHook('onRequest', (request, reply, done) => {
      const context = this.contextOf(request.raw, request.id);
      request.callContext = context;
      context.answerBy(reply.raw);
      const { deadlineMs } = request.routeOptions.config;
      if (deadlineMs !== undefined) context.limit(deadlineMs);
      this.#inProgress.set(context, reply);
      this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
      if (current() === context) done();
      else runWith(context, done);
    });
    http.addHook('onSend', (request, _reply, payload, done) => {
      const isStream = typeof payload === 'object' && payload !== null && !Buffer.isBuffer(payload);
      request.callContext.isReplying = !isStream;
      done(null, payload);
    });
    if (tracing !== noTracing) {
      http.chain.add({
        name: 'trace',
        at: 'onRequest',
        fixed: true,
        handle: (request, reply, next) => {
          const context = request.callContext;
          if (context.trace.sampled) tracing.beginRequest(context, request.raw, reply.raw, request.routeOptions.url);
          next();
        },
      });
    }
    http.addHook('onClose', () => {
      // Logs the requests that the drain has cut off.
      this.#sweep();
      clearInterval(this.#sweeper);
    });
  }

  override incomingRequest(): void {
    // The line at the end of the request is enough.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    // A request that Fastify refuses before the first hook has none.
    const context: RequestContext | undefined = request.callContext;
    context?.cancel();
    if (context !== undefined && this.#inProgress.delete(context))
      this.#record(context, reply, error ?? reply.statusCode);
  }

  override streamError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
    // When the connection is already closed, the error is only the consequence.
    if (!reply.raw.closed) this.requestCompleted(error, request, reply);
  }

  #sweep(): void {
    const now = performance.now();
    for (const [context, reply] of this.#inProgress) {
      if (isCutOff(reply)) this.#endCutOff(context, reply);
      else if (context.deadline <= now) expire(context, reply);
    }
    if (this.#inProgress.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #endCutOff(context: RequestContext, reply: FastifyReply): void {
    this.#inProgress.delete(context);
    context.cancel(context.ended() ?? givenUp('the client closed the connection'));
    // A handler has taken over the connection with `reply.hijack()`, for example for a WebSocket.
    if (reply.sent && !reply.raw.headersSent && !reply.raw.writableEnded) return;
    const isLate = context.isExpired || (context.remainingMs() === 0 && !reply.raw.writableEnded);
    const fault = faultOf(reply) ?? (isLate ? outOfTime(context.id) : undefined);
    this.#record(context, reply, fault ?? clientClosedRequest);
  }

  /**
   * Writes the line of the access log and observes the duration. Both take the trace from the context.
   * @param outcome the status, or the error that broke the reply off
   */
  #record(context: RequestContext, reply: FastifyReply, outcome: number | Error): void {
    if (current() !== context) return runWith(context, () => this.#record(context, reply, outcome));
    const { request, elapsedTime: ms, log } = reply;
    const { method, routeOptions, url } = request;
    const route = routeOptions.url ?? 'unmatched';
    // Without the query, which can hold tokens.
    const [path] = url.split('?', 1);
    const status = outcome instanceof Error ? problemOf(outcome).status : outcome;
    // Microseconds are exact enough to read.
    const line = { method, route, path, status, ms: Math.round(ms * 1000) / 1000 };
    this.#options.durations.record(method, route, status, ms / 1000);
    if (outcome instanceof Error) log.error({ ...line, err: outcome }, 'request broken off');
    else log.info(status === clientClosedRequest ? { ...line, aborted: true } : line, 'request');
  }
}

/** Requests by HTTP/2, and those that tests inject, do not pass `entering`: the current context is not theirs. */
function enteredContext(request: IncomingMessage): RequestContext | undefined {
  const context = current();
  return context instanceof RequestContext && context.request === request ? context : undefined;
}

/**
 * @param reply to a request that has not ended
 * @returns whether its connection closed before the reply was sent. The reply itself reports this later
 */
export function isCutOff({ raw, request }: FastifyReply): boolean {
  return request.raw.socket.destroyed && !raw.writableFinished;
}

/** @returns why a reply was cut off on this side; undefined when the client has left, or is at fault */
function faultOf({ raw, request }: FastifyReply): Error | undefined {
  const { readableEnded, errored } = request.raw.socket;
  if (raw.errored !== null && !isOfClient(raw.errored)) return raw.errored;
  // In HTTP/2 a stream that is ended on this side has an error, which is handled above.
  if (request.raw.httpVersionMajor === 2 || readableEnded || isOfClient(errored)) return undefined;
  return new Error('the connection was closed on this side', { cause: errored });
}

/** Error codes of the system for a client that cannot be reached any more. */
const goneCodes = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

function isOfClient(error: Error | null): boolean {
  return error instanceof ClientFault || (error !== null && 'code' in error && goneCodes.has(error.code));
}

/** The error of a client that has not sent its whole request in time (RFC 9110, 15.5.9). */
function requestTimeout(): ServiceError {
  const publicMessage = 'The request did not arrive in time.';
  return new ServiceError({ status: 408, code: 'request_timeout', publicMessage });
}

/** Gives up a request whose deadline has passed, once. */
function expire(context: RequestContext, reply: FastifyReply): void {
  if (context.isExpired || reply.raw.writableEnded) return;
  context.isExpired = true;
  // A body that has not arrived in time is the client's fault: 408 instead of 504.
  const error = isBodyDue(reply.request.raw) ? requestTimeout() : outOfTime(context.id);
  context.cancel(error);
  // A handler that observes the signal throws first. The error is then handled as usual.
  setImmediate(() => {
    if (reply.sent) return;
    // A client must not take a part of a reply for the whole.
    if (reply.raw.headersSent) reply.raw.destroy(error);
    else if (!context.isReplying) runWith(context, () => reply.send(error));
  });
}
