import type { IncomingMessage, RequestListener } from 'node:http';
import { Socket } from 'node:net';
import { type FastifyReply, type FastifyRequest, LogController, type onRequestHookHandler } from 'fastify';
import type { Static } from 'typebox';
import { current, givenUp, outOfTime, runWith } from '../../../pkg/context/index.ts';
import { noTracing, type Tracing } from '../app/tracing.ts';
import type { RequestDurations } from '../metrics/requests.ts';
import { isBodyDue, requestTimeout } from './body.ts';
import type { Handle } from './chain.ts';
import type { config } from './config.ts';
import { problemOf } from './problems.ts';
import { RequestContext } from './requestContext.ts';
import type { Http } from './server.ts';

/**
 * @param reply that no end has been heard of
 * @returns whether its connection has gone before it was out; the reply itself hears of that later
 */
export function isCutOff({ raw, request }: FastifyReply): boolean {
  return request.raw.socket.destroyed && !raw.writableFinished;
}

/**
 * @param reply whose connection has gone
 * @returns whether a handler made something else of the connection, a WebSocket say, by `reply.hijack()`: how that ends is no
 * matter of requests
 */
export function isTakenOver({ raw, sent }: FastifyReply): boolean {
  return sent && !raw.headersSent && !raw.writableEnded;
}

/**
 * @param reply that was cut off
 * @returns why, when that was done on this side; undefined when the client has left
 */
export function faultOf({ raw, request }: FastifyReply): Error | undefined {
  const { readableEnded, errored } = request.raw.socket;
  if (raw.errored !== null && !isGone(raw.errored)) return raw.errored;
  // A stream of HTTP/2 is not its connection: what ends it on this side gives it an error.
  if (request.raw.httpVersionMajor === 2) return undefined;
  if (readableEnded || isGone(errored)) return undefined;
  return new Error('the connection was closed on this side', { cause: errored });
}

/** How the system says that the other side of a connection is not there any more. */
const goneCodes = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

function isGone(error: Error | null): boolean {
  return error !== null && 'code' in error && goneCodes.has(error.code);
}

/**
 * Cuts off clients that do not read their replies: each holds a connection, and what it was sent, for as long as it likes. Node's own
 * `timeout` would cut off those too that wait for a reply.
 */
export class Readers {
  readonly #stallMs: number;
  readonly #stalled: () => void;

  /**
   * @param stallMs milliseconds for which a client may read nothing of what it was sent
   * @param stalled hears of each that is cut off
   */
  constructor(stallMs: number, stalled: () => void) {
    this.#stallMs = stallMs;
    this.#stalled = stalled;
  }

  /** Is asked for each reply from time to time: one that is read at once costs no more than that. */
  look({ raw, request }: FastifyReply): void {
    const { socket, writableEnded, writableNeedDrain } = raw;
    // One that waits behind another, or is injected in a test, has no connection.
    if (!(socket instanceof Socket)) return;
    // What carries requests by HTTP/2 looks after its own: there a connection may go on while a reply does not.
    if (request.raw.httpVersionMajor !== 1) return;
    const isUnread = writableEnded || writableNeedDrain;
    if (isUnread === (socket.timeout === this.#stallMs)) return;
    // Begins anew with each byte that the system takes. Once the reply is out, Node sets that of an idle connection.
    socket.setTimeout(isUnread ? this.#stallMs : 0);
    if (raw.listenerCount('timeout') > 0) return;
    raw.once('timeout', () => {
      this.#stalled();
      raw.destroy(new StalledReader());
    });
  }
}

/** Named as the system names it when the other side is silent. */
class StalledReader extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('the client does not read its reply');
  }
}

/** The client has gone before it was answered: nginx's status, which nobody is ever sent. */
const clientClosedRequest = 499;

/** What becomes of each request: one line in the log and one observation. */
export class AccessLog {
  readonly #durations: RequestDurations;

  /** @param durations where each request is counted */
  constructor(durations: RequestDurations) {
    this.#durations = durations;
  }

  /** The client got a whole reply. */
  answered(reply: FastifyReply): void {
    reply.log.info(this.#measure(reply, reply.statusCode), 'request');
  }

  /** The client has left, before the reply or in the middle of it. That is no failure of the service. */
  abandoned(reply: FastifyReply): void {
    reply.log.info({ ...this.#measure(reply, clientClosedRequest), aborted: true }, 'request');
  }

  /**
   * The client was left without a whole reply. That is a failure, whatever status it was sent.
   * @param reply that was begun
   * @param error why
   */
  brokenOff(reply: FastifyReply, error: unknown): void {
    reply.log.error({ ...this.#measure(reply, problemOf(error).status), err: error }, 'request broken off');
  }

  #measure({ request, elapsedTime: ms }: FastifyReply, status: number): Record<string, unknown> {
    const { method, routeOptions, url } = request;
    const route = routeOptions.url ?? 'unmatched';
    // Not the query: people put tokens there.
    const [path] = url.split('?', 1);
    this.#durations.record(method, route, status, ms / 1000);
    return { method, route, path, status, ms };
  }
}

/** Hears from Fastify of the end of each request, in place of the lines that Fastify would write. */
export class RequestLog extends LogController {
  readonly #requests: Requests;

  /** @param requests those of the server */
  constructor(requests: Requests) {
    super();
    this.#requests = requests;
  }

  override incomingRequest(): void {
    // The line at the end says all of it.
  }

  override requestCompleted(error: Error | null | undefined, _request: FastifyRequest, reply: FastifyReply): void {
    if (error) this.#requests.brokenOff(reply, error);
    else this.#requests.answered(reply);
  }

  override streamError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    // When the connection is closed already, the error tells of that and not of the stream.
    if (!reply.raw.closed) this.#requests.brokenOff(reply, error);
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Milliseconds in which this route answers, in place of HTTP_DEADLINE_MS; Infinity for a reply that has no end. */
    deadlineMs?: number;
  }
}

/** Milliseconds between two looks for requests whose deadline has passed, or whose client has left. */
const sweepEvery = 50;

const attached = Symbol('context');
interface Carrier extends IncomingMessage {
  [attached]?: RequestContext;
}

/** The requests of one server: each gets its context, an answer at its deadline, and one entry in the access log. */
export class Requests {
  readonly #settings: Static<typeof config>;
  readonly #tracing: Tracing;
  readonly #accessLog: AccessLog;
  readonly #readers: Readers;
  /**
   * What is not in the access log yet, each with its reply. One timer looks after all of them: a timer each would cost a tenth,
   * and so would a listener that hears of clients that leave.
   */
  readonly #inFlight = new Map<RequestContext, FastifyReply>();
  #sweeper: NodeJS.Timeout | undefined;

  /**
   * @param settings limits of deadlines
   * @param tracing decides what is recorded, and records it
   * @param accessLog is told of each request once
   * @param readers looks after replies that are on their way
   */
  constructor(settings: Static<typeof config>, tracing: Tracing, accessLog: AccessLog, readers: Readers) {
    this.#settings = settings;
    this.#tracing = tracing;
    this.#accessLog = accessLog;
    this.#readers = readers;
  }

  /**
   * @param request as it came in
   * @returns its context, the same each time
   */
  contextOf(request: Carrier): RequestContext {
    return (request[attached] ??= new RequestContext(request, this.#settings, this.#tracing));
  }

  /**
   * Enters the context where Node hands a request over: once, and in no hook, which would cost more.
   * @param handler Fastify's
   * @returns the same, in the context of each request
   */
  entering(handler: RequestListener): RequestListener {
    return (request, response) => runWith(this.contextOf(request), handler, request, response);
  }

  /** Watches over what a server answers. */
  watch(http: Http): void {
    http.addHook('onRequest', (request, reply, done) => {
      const context = this.contextOf(request.raw);
      context.answerBy(reply.raw);
      this.#inFlight.set(context, reply);
      this.#sweeper ??= setInterval(() => this.#sweep(), sweepEvery).unref();
      // What is injected, in tests, comes without a server.
      if (current() === context) done();
      else runWith(context, done);
    });
    http.addHook('preSerialization', (request, _reply, payload, done) => {
      this.contextOf(request.raw).isReplying = true;
      done(null, payload);
    });
    http.addHook('onSend', (request, _reply, payload, done) => {
      this.contextOf(request.raw).isReplying = isWhole(payload);
      done(null, payload);
    });
    if (this.#tracing !== noTracing)
      http.chain.add({ name: 'trace', at: 'onRequest', fixed: true, handle: this.#trace });
    http.addHook('onRoute', (route) => {
      const ms = route.config?.deadlineMs;
      if (ms === undefined) return;
      const limit: onRequestHookHandler = (request, _reply, done) => {
        this.contextOf(request.raw).limit(ms);
        done();
      };
      route.onRequest = [limit, ...[route.onRequest ?? []].flat()];
    });
    http.addHook('onClose', () => {
      // What was cut off at the end of the drain.
      this.#sweep();
      clearInterval(this.#sweeper);
    });
  }

  readonly #trace: Handle = (request, reply, next) => {
    const context = this.contextOf(request.raw);
    if (context.trace.sampled) this.#tracing.beginRequest(context, request.raw, reply.raw, request.routeOptions.url);
    next();
  };

  /** Hears that a reply is out. */
  answered(reply: FastifyReply): void {
    const context = this.contextOf(reply.request.raw);
    if (!this.#end(context)) return;
    // HTTP/2 tells of it outside.
    if (current() === context) this.#accessLog.answered(reply);
    else runWith(context, () => this.#accessLog.answered(reply));
  }

  /**
   * Hears that a reply will not be whole, by a fault of our own.
   * @param reply that was begun
   * @param error why
   */
  brokenOff(reply: FastifyReply, error: unknown): void {
    const context = this.contextOf(reply.request.raw);
    if (this.#end(context)) runWith(context, () => this.#accessLog.brokenOff(reply, error));
  }

  /** Ends a request, whoever says so first. */
  #end(context: RequestContext): boolean {
    context.cancel();
    return this.#inFlight.delete(context);
  }

  #sweep(): void {
    const now = performance.now();
    for (const [context, reply] of this.#inFlight) {
      if (isCutOff(reply)) {
        runWith(context, () => this.#cutOff(context, reply));
        continue;
      }
      if (context.deadline <= now) expire(context, reply);
      this.#readers.look(reply);
    }
    if (this.#inFlight.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #cutOff(context: RequestContext, reply: FastifyReply): void {
    this.#inFlight.delete(context);
    context.cancel(context.ended() ?? givenUp('the client closed the connection'));
    if (isTakenOver(reply)) return;
    // A client that leaves when its time is up has not been served; one that did not read what it was sent in time has.
    const isLate = context.isExpired || (context.remainingMs() === 0 && !reply.raw.writableEnded);
    const fault = faultOf(reply) ?? (isLate ? outOfTime(context.id) : undefined);
    if (fault === undefined) this.#accessLog.abandoned(reply);
    else this.#accessLog.brokenOff(reply, fault);
  }
}

/** Gives a request up whose deadline has passed, once. */
function expire(context: RequestContext, reply: FastifyReply): void {
  if (context.isExpired || reply.raw.writableEnded) return;
  context.isExpired = true;
  // What has not even arrived is late by its client's fault.
  const error = isBodyDue(reply.request.raw) ? requestTimeout() : outOfTime(context.id);
  context.cancel(error);
  // Who heeds the signal fails by it, and is answered for as for any error.
  setImmediate(() => {
    if (reply.sent) return;
    // A reply that has begun cannot become another one: cut off, it is at least not taken for a whole one.
    if (reply.raw.headersSent) reply.raw.destroy(error);
    // One that is being made ready, compressed say, goes out late: Fastify takes no second one beside it.
    else if (!context.isReplying) runWith(context, () => reply.send(error));
  });
}

/** What is not a stream, which may stand still. */
function isWhole(payload: unknown): boolean {
  return payload === undefined || payload === null || typeof payload === 'string' || Buffer.isBuffer(payload);
}
