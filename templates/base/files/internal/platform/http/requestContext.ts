import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import {
  Context,
  contextKey,
  givenUp,
  headerNames,
  newSpanId,
  newTraceId,
  parseTimeout,
  parseTrace,
  type Trace,
} from '../../../pkg/context/index.ts';
import type { Tracing } from '../app/tracing.ts';
import type { config } from './config.ts';

declare module 'fastify' {
  interface FastifyRequest {
    callContext: RequestContext;
  }
  interface FastifyContextConfig {
    /** Time limit of the route in milliseconds, instead of HTTP_DEADLINE_MS; Infinity for a reply without an end. */
    deadlineMs?: number;
  }
}

/** The caller, from verified credentials. */
export interface Principal {
  /** The id of the user or client at the issuer of the credentials. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** Everything in the credentials. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** When the credentials expire, in milliseconds since 1970. A connection must not stay open longer. */
  readonly expiresAt: number;
}

/** The caller in the context of a request, if a module such as `auth` has verified it. */
export const principalKey = contextKey<Principal>('principal');

const wellFormedId = /^[\w.:-]{1,128}$/;
const idPrefix = randomBytes(6).toString('base64url');
let idCount = 0;

/**
 * @param headers of a request
 * @returns the id that the caller sent, if it is well-formed, otherwise a new one: a random prefix and a count, which is cheaper
 * than a UUID
 */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headerOf(headers, headerNames.id);
  if (given !== undefined && wellFormedId.test(given)) return given;
  idCount += 1;
  return `${idPrefix}-${idCount.toString(36)}`;
}

/**
 * @param headers of a request
 * @param name in lower case
 * @returns the value of a header that can be sent only once
 */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * @param headers of a request
 * @param tracing decides whether the trace is recorded
 * @returns the next span of the caller's trace, or a new trace
 */
export function traceOf(headers: IncomingHttpHeaders, tracing: Tracing): Trace {
  const parent = parseTrace(headerOf(headers, headerNames.traceparent), headerOf(headers, headerNames.tracestate));
  const traceId = parent?.traceId ?? newTraceId();
  const trace = { traceId, spanId: newSpanId(), sampled: tracing.isSampled(traceId, parent) };
  return parent?.state === undefined ? trace : { ...trace, state: parent.state };
}

/** The context of an HTTP request, read from its headers and its route. It ends with the reply. */
export class RequestContext extends Context {
  /** The pattern of the route; undefined when no route matches. */
  readonly route: string | undefined;
  /** Whether the deadline has passed and the request was given up. */
  isExpired = false;
  /** Whether hooks work on a reply that is not a stream. Fastify takes no second reply then. */
  isReplying = false;
  /** Its index among the requests in progress; undefined when it is none of them. */
  place: number | undefined;
  readonly reply: FastifyReply;

  /**
   * @param request that has just arrived
   * @param reply to it
   * @param settings limits of deadlines
   * @param tracing decides whether the trace is recorded
   */
  constructor(request: FastifyRequest, reply: FastifyReply, settings: Static<typeof config>, tracing: Tracing) {
    const { headers } = request.raw;
    const {
      url,
      config: { deadlineMs },
    } = request.routeOptions;
    const askedMs = parseTimeout(headerOf(headers, headerNames.timeout), settings.HTTP_DEADLINE_MAX_MS);
    const ms =
      deadlineMs === undefined ? (askedMs ?? settings.HTTP_DEADLINE_MS) : Math.min(deadlineMs, askedMs ?? Infinity);
    super({ id: request.id, trace: traceOf(headers, tracing), deadline: performance.now() + ms });
    this.route = url;
    this.reply = reply;
  }

  override ended(): Error | undefined {
    return super.ended() ?? (this.reply.raw.closed ? reasonOfEnd(this.reply.raw) : undefined);
  }

  protected override watch(): void {
    super.watch();
    const { raw: response } = this.reply;
    // After a whole reply the context has ended already, and nothing reads the reason. Creating an error is expensive.
    response.once('close', () => this.cancel(response.writableFinished ? undefined : reasonOfEnd(response)));
  }
}

function reasonOfEnd({ writableFinished }: ServerResponse): Error {
  return givenUp(writableFinished ? 'the request was answered' : 'the client closed the connection');
}
