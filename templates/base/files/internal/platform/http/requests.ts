import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Static } from 'typebox';
import { Context, givenUp, headerNames, outOfTime, runWith } from '../../../pkg/context/index.ts';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { noTracing, type Tracing } from '../app/tracing.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts, RequestDurations } from '../metrics/module.ts';
import { isBodyDue } from './body.ts';
import type { config } from './config.ts';
import { bodyOf, type Problem, problemOf, problemType, securityHeaders } from './problems.ts';
import { RequestContext, requestIdOf, traceOf } from './requestContext.ts';
import type { Http } from './types.ts';

/** Milliseconds between two checks of all requests in progress. */
const sweepMs = 50;
/** The status in the log of a request whose client left before the reply. No client gets it; nginx uses the same. */
const clientClosedRequest = 499;

export interface HttpOptions {
  readonly config: Static<typeof config>;
  readonly log: Logger;
  readonly tracing: Tracing;
  readonly durations: RequestDurations;
  readonly errors: ErrorCounts;
}

/**
 * All requests of one server. Each one gets a context, the headers of every reply, a 504 at its deadline, one line in the access log
 * and one observation in the metrics. Fastify reports the ends of requests to its `LogController`, which this is.
 */
export class Requests extends LogController {
  readonly #options: HttpOptions;
  /**
   * Requests that are not in the access log yet. One timer checks all of them. A timer or a listener for each one costs a tenth of
   * the throughput. A Map costs as much when handlers wait: V8 collects what has been in one late (decision 016).
   */
  readonly #inProgress: RequestContext[] = [];
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: HttpOptions) {
    super();
    this.#options = options;
  }

  /** @param http the server; its other hooks must be added later */
  addHooks(http: Http): void {
    const { config: settings, tracing } = this.#options;
    http.decorateRequest('callContext');
    http.addHook('onRequest', (request, reply, done) => {
      const context = new RequestContext(request, reply, settings, tracing);
      request.callContext = context;
      context.place = this.#inProgress.push(context) - 1;
      this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
      reply.headers(securityHeaders).header(headerNames.id, context.id);
      runWith(context, done);
    });
    if (tracing !== noTracing) {
      http.chain.add({
        name: 'trace',
        at: 'onRequest',
        fixed: true,
        handle({ callContext: context, raw }, reply, next) {
          if (context.trace.sampled) tracing.beginRequest(context, raw, reply.raw, context.route);
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

  /**
   * Answers a request that Fastify cannot route. Such a request passes no hook.
   * @param request as Node gives it
   * @param response to it
   * @param answer the problem
   */
  refuse(request: IncomingMessage, response: ServerResponse, answer: Problem): void {
    const { headers } = request;
    const id = requestIdOf(headers);
    runWith(new Context({ id, trace: traceOf(headers, this.#options.tracing) }), () => {
      this.recordUnrouted(answer, request);
      response
        .writeHead(answer.status, { ...securityHeaders, 'content-type': problemType, [headerNames.id]: id })
        .end(bodyOf(answer));
    });
  }

  /**
   * Logs and counts a request that passes no hook.
   * @param answer the problem that its client gets
   * @param request what is known of it
   */
  recordUnrouted({ status, code }: Problem, request: Pick<IncomingMessage, 'method' | 'url'> = {}): void {
    this.#options.errors.count(code);
    this.#record(request, 'unmatched', status, 0, this.#options.log);
  }

  override incomingRequest(): void {
    // The line at the end of the request is enough.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    // A request that Fastify refuses before the first hook has none.
    const context: RequestContext | undefined = request.callContext;
    context?.cancel();
    if (context !== undefined && this.#leave(context)) this.#end(context, reply, error ?? reply.statusCode);
  }

  override streamError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
    // When the connection is already closed, the error is only the consequence.
    if (!reply.raw.closed) this.requestCompleted(error, request, reply);
  }

  #sweep(): void {
    const now = performance.now();
    for (const context of this.#inProgress.slice()) {
      if (isCutOff(context.reply)) this.#endCutOff(context);
      else if (context.deadline <= now) expire(context);
    }
    if (this.#inProgress.length > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  /** @returns whether the request was in progress */
  #leave(context: RequestContext): boolean {
    const { place } = context;
    if (place === undefined) return false;
    const last = this.#inProgress.pop();
    if (last !== undefined && last !== context) {
      this.#inProgress[place] = last;
      last.place = place;
    }
    context.place = undefined;
    return true;
  }

  #endCutOff(context: RequestContext): void {
    const { reply } = context;
    this.#leave(context);
    context.cancel(context.ended() ?? givenUp('the client closed the connection'));
    // A handler has taken over the connection with `reply.hijack()`, for example for a WebSocket.
    if (reply.sent && !reply.raw.headersSent && !reply.raw.writableEnded) return;
    const isLate = context.isExpired || (context.remainingMs() === 0 && !reply.raw.writableEnded);
    const fault = faultOf(reply) ?? (isLate ? outOfTime(context.id) : undefined);
    this.#end(context, reply, fault ?? clientClosedRequest);
  }

  /** @param outcome the status, or the error that broke the reply off */
  #end(context: RequestContext, { request, elapsedTime, log }: FastifyReply, outcome: number | Error): void {
    runWith(context, () => this.#record(request, context.route ?? 'unmatched', outcome, elapsedTime, log));
  }

  /** Writes the line of the access log and observes the duration. Both take the trace from the current context. */
  #record(
    { method, url }: Pick<IncomingMessage, 'method' | 'url'>,
    route: string,
    outcome: number | Error,
    ms: number,
    log: FastifyBaseLogger,
  ): void {
    const status = outcome instanceof Error ? problemOf(outcome).status : outcome;
    this.#options.durations.record(method ?? '', route, status, ms / 1000);
    // The query of the URL can hold tokens. Microseconds are exact enough to read.
    const line = { method, route, path: url?.split('?', 1)[0], status, ms: Math.round(ms * 1000) / 1000 };
    if (outcome instanceof Error) log.error({ ...line, err: outcome }, 'request broken off');
    else log.info(status === clientClosedRequest ? { ...line, aborted: true } : line, 'request');
  }
}

/** @returns whether the connection of a request closed before the reply was sent. The reply itself reports this later */
function isCutOff({ raw, request }: FastifyReply): boolean {
  return request.raw.socket.destroyed && !raw.writableFinished;
}

/** @returns why a reply was cut off on this side; undefined when the client has left, or is at fault */
function faultOf({ raw, request }: FastifyReply): Error | undefined {
  const { readableEnded, errored } = request.raw.socket;
  if (raw.errored !== null && !isOfNetwork(raw.errored)) return raw.errored;
  // A stream of HTTP/2 that is ended on this side has an error, which the line above returns.
  if (request.raw.httpVersionMajor === 2 || readableEnded) return undefined;
  // A connection has an error when its client is lost or at fault, or when an earlier request on it was given up at its deadline.
  if (errored !== null && !(errored instanceof ServiceError)) return undefined;
  return new Error('the connection was closed on this side', { cause: errored });
}

/** Error codes of the system for a client that cannot be reached any more. */
const goneCodes = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

function isOfNetwork(error: Error): boolean {
  return 'code' in error && goneCodes.has(error.code);
}

/** The error of a client that has not sent its whole request in time (RFC 9110, 15.5.9). */
function requestTimeout(): ServiceError {
  const publicMessage = 'The request did not arrive in time.';
  return new ServiceError({ status: 408, code: 'request_timeout', publicMessage });
}

/** Gives up a request whose deadline has passed, once. */
function expire(context: RequestContext): void {
  const { reply } = context;
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
