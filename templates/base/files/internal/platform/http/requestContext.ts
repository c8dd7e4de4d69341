import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
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

export interface RequestContextOptions {
  readonly request: IncomingMessage;
  readonly id: string;
  /** Limits of deadlines. */
  readonly config: Static<typeof config>;
  /** Decides whether the trace is recorded. */
  readonly tracing: Tracing;
}

/** The context of an HTTP request, read from its headers. It ends with the reply. */
export class RequestContext extends Context {
  /** The request as Node gives it. */
  readonly request: IncomingMessage;
  /** Whether the deadline has passed and the request was given up. */
  isExpired = false;
  /** Whether hooks work on a reply that is not a stream. Fastify takes no second reply then. */
  isReplying = false;
  readonly #begun = performance.now();
  readonly #timeoutMs: number | undefined;
  #response: ServerResponse | undefined;

  /** @param options the request and its limits */
  constructor({ request, id, config: settings, tracing }: RequestContextOptions) {
    const { headers } = request;
    super({ id, trace: traceOf(headers, tracing) });
    this.request = request;
    this.#timeoutMs = parseTimeout(headerOf(headers, headerNames.timeout), settings.HTTP_DEADLINE_MAX_MS);
    this.deadline = this.#begun + (this.#timeoutMs ?? settings.HTTP_DEADLINE_MS);
  }

  /** @param response whose end is the end of the request */
  answerBy(response: ServerResponse): void {
    this.#response = response;
  }

  /**
   * Sets the time limit of the route. A shorter one of the caller stays.
   * @param ms milliseconds from the arrival of the request; Infinity for a reply without an end
   */
  limit(ms: number): void {
    this.deadline = this.#begun + Math.min(ms, this.#timeoutMs ?? ms);
  }

  override ended(): Error | undefined {
    const response = this.#response;
    return super.ended() ?? (response?.closed ? reasonOfEnd(response) : undefined);
  }

  protected override watch(): void {
    super.watch();
    const response = this.#response;
    // After a whole reply the context has ended already, and nothing reads the reason. Creating an error is expensive.
    response?.once('close', () => this.cancel(response.writableFinished ? undefined : reasonOfEnd(response)));
  }
}

function reasonOfEnd({ writableFinished }: ServerResponse): Error {
  return givenUp(writableFinished ? 'the request was answered' : 'the client closed the connection');
}
