import { type Attributes, type SpanContext, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import type { CallSpan, Trace } from '../../../pkg/context/index.ts';
import { chain } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';

/** RFC 9110, 9.3, and PATCH (RFC 5789); the conventions call others `_OTHER`. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']);

const hidden = 'REDACTED';

/**
 * Begins the span of a call, a child of where the work stands, by the conventions for HTTP clients
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span).
 * @param request about to be sent
 * @returns the span; undefined where nothing is recorded
 */
export function beginCall({ method, url }: Request): CallSpan | undefined {
  const name = methods.has(method) ? method : 'HTTP';
  const options = { kind: SpanKind.CLIENT, attributes: attributesOf(method, new URL(url)) };
  const span = trace.getTracer(about.name, about.version).startSpan(name, options);
  if (!span.isRecording()) return undefined;

  const fault = (type: string): void => {
    span.setAttribute(ATTR_ERROR_TYPE, type).setStatus({ code: SpanStatusCode.ERROR });
  };
  return {
    trace: traceOf(span.spanContext()),
    answered(status) {
      span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
      // Unlike a server, a client counts its own faults too.
      if (status >= 400) fault(String(status));
      span.end();
    },
    failed(error) {
      fault(typeOf(error));
      span.end();
    },
  };
}

function attributesOf(method: string, { protocol, host, hostname, port, pathname, search }: URL): Attributes {
  return {
    [ATTR_HTTP_REQUEST_METHOD]: methods.has(method) ? method : '_OTHER',
    // Neither credentials nor a fragment.
    [ATTR_URL_FULL]: `${protocol}//${host}${pathname}${withoutValues(search)}`,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: Number(port || (protocol === 'https:' ? 443 : 80)),
  };
}

/** People put tokens there, also without a name. */
function withoutValues(search: string): string {
  if (search === '') return '';
  const parts = search.slice(1).split('&');
  return `?${parts.map((part) => (part.includes('=') ? `${part.split('=', 1)[0]}=${hidden}` : hidden)).join('&')}`;
}

/** The nearest code says most: of `fetch failed` it is that of the cause. */
function typeOf(error: unknown): string {
  for (const each of chain(error)) {
    if (each instanceof Error && 'code' in each && typeof each.code === 'string') return each.code;
  }
  return error instanceof Error ? error.name : '_OTHER';
}

/**
 * @param place in a trace
 * @param isRemote whether it is that of a caller, in another process
 * @returns the same in OpenTelemetry's words
 */
export function spanContextOf({ traceId, spanId, sampled, state }: Trace, isRemote = false): SpanContext {
  return {
    traceId,
    spanId,
    isRemote,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(state === undefined ? {} : { traceState: new TraceState(state) }),
  };
}

/**
 * @param span in OpenTelemetry's words
 * @returns its place in a trace, in ours
 */
export function traceOf({ traceId, spanId, traceFlags, traceState }: SpanContext): Trace {
  const place = { traceId, spanId, sampled: Boolean(traceFlags & TraceFlags.SAMPLED) };
  return traceState === undefined ? place : { ...place, state: traceState.serialize() };
}
