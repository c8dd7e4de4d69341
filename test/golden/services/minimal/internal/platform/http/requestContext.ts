import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Static } from 'typebox';
import {
  Context,
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

const wellFormed = /^[\w.:-]{1,128}$/;
const prefix = randomBytes(6).toString('base64url');
let count = 0;

/**
 * @param headers of a request
 * @returns the caller's own id when it is well-formed, otherwise a new one: random per process, then counted, which is
 * cheaper than a UUID per request
 */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headerOf(headers, headerNames.id);
  if (given !== undefined && wellFormed.test(given)) return given;
  count += 1;
  return `${prefix}-${count.toString(36)}`;
}

/**
 * @param headers of a request
 * @param name in lower case
 * @returns its value, if it is there
 */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** What a request carries, as its headers tell it. */
export class RequestContext extends Context {
  /** Whether it was given up at its deadline. */
  isExpired = false;
  /** Whether a whole reply is on its way through hooks, or further; a stream goes its own way. */
  isReplying = false;
  readonly #tracing: Tracing;
  readonly #begun = performance.now();
  /** What the caller asked for. */
  readonly #timeoutMs: number | undefined;
  #deadline: number;
  #response: ServerResponse | undefined;

  /**
   * @param request as it came in
   * @param settings limits of deadlines
   * @param tracing decides whether it is recorded
   */
  constructor({ headers }: IncomingMessage, settings: Static<typeof config>, tracing: Tracing) {
    super({ id: requestIdOf(headers), trace: traceOf(headers, tracing) });
    this.#tracing = tracing;
    this.#timeoutMs = parseTimeout(headerOf(headers, headerNames.timeout), settings.HTTP_DEADLINE_MAX_MS);
    this.#deadline = this.#begun + (this.#timeoutMs ?? settings.HTTP_DEADLINE_MS);
  }

  override get deadline(): number {
    return this.#deadline;
  }

  /** Says what the answer goes out by: its end is the end of the request. */
  answerBy(response: ServerResponse): void {
    this.#response = response;
  }

  /**
   * A route that takes less time than others, or more; a caller that waits for less is heeded.
   * @param ms milliseconds from the request's arrival; Infinity for a reply that has no end
   */
  limit(ms: number): void {
    this.#deadline = this.#begun + Math.min(ms, this.#timeoutMs ?? ms);
  }

  override detached(name: string): Context {
    return this.#tracing.detached(name, this);
  }

  override ended(): Error | undefined {
    const response = this.#response;
    return super.ended() ?? (response?.closed ? over(response) : undefined);
  }

  protected override opened(): void {
    const response = this.#response;
    response?.once('close', () => this.cancel(over(response)));
  }
}

function over({ writableFinished }: ServerResponse): Error {
  return givenUp(writableFinished ? 'the request was answered' : 'the client closed the connection');
}

/**
 * @param headers of a request
 * @param tracing decides whether it is recorded
 * @returns the caller's trace, one span further; or a new one
 */
export function traceOf(headers: IncomingHttpHeaders, tracing: Tracing): Trace {
  const parent = parseTrace(headerOf(headers, headerNames.traceparent), headerOf(headers, headerNames.tracestate));
  const traceId = parent?.traceId ?? newTraceId();
  const trace = { traceId, spanId: newSpanId(), sampled: tracing.isSampled(traceId, parent) };
  return parent?.state === undefined ? trace : { ...trace, state: parent.state };
}
