import type { IncomingMessage, RequestListener } from 'node:http';
import type { FastifyReply, onRequestHookHandler } from 'fastify';
import type { Static } from 'typebox';
import { current, givenUp, outOfTime, runWith } from '../../../../pkg/context/index.ts';
import { type Tracing, noTracing } from '../../app/tracing.ts';
import { requestTimeout } from '../body/bodyErrors.ts';
import { isBodyDue } from '../body/unreadBody.ts';
import type { Handle } from '../chain.ts';
import type { config } from '../config.ts';
import type { Http } from '../server.ts';
import type { AccessLog } from './accessLog.ts';
import { faultOf, isCutOff, isTakenOver } from './cutOff.ts';
import type { Readers } from './readers.ts';
import { RequestContext } from './requestContext.ts';

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
