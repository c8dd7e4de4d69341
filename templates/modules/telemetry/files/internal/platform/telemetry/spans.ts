import type { IncomingMessage } from 'node:http';
import {
  type ContextManager,
  type Context as OtelContext,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type SpanContext,
  TraceFlags,
} from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions';
import {
  Context,
  type Trace,
  contextKey,
  current,
  formatTraceparent,
  headerNames,
  newSpanId,
  newTraceId,
  noTrace,
  parseTrace,
  recorder,
  runWith,
} from '../../../pkg/context/index.ts';
import { chain } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';
import type { Incoming, SpanAttributes, Tracing } from '../app/tracing.ts';
import { methods } from '../metrics/module.ts';

const activeKey = contextKey<OtelContext>('OpenTelemetry');

/**
 * Makes a span the parent of all further spans of a context, those of libraries and of calls to other services.
 * @param context of the work
 * @param active OpenTelemetry's own context, with the span
 */
function enterSpan(context: Context, active: OtelContext): void {
  const span = trace.getSpanContext(active);
  if (span !== undefined) context.trace = traceOf(span);
  context.set(activeKey, active);
  context.set(recorder, { fetch: fetchWithSpan, detached });
}

/** Keeps OpenTelemetry's context in ours: one AsyncLocalStorage, and spans of libraries become children of the request's span. */
export const contextManager: ContextManager = {
  active() {
    const context = current();
    return context.get(activeKey) ?? rootFor(context.trace);
  },
  with(active, work, thisArg, ...args) {
    const context = current().child();
    enterSpan(context, active);
    return runWith(context, () => work.call(thisArg, ...args));
  },
  bind(active, target) {
    if (typeof target !== 'function') return target;
    return new Proxy(target, {
      apply: (work, thisArg, args: unknown[]): unknown =>
        contextManager.with(active, (): unknown => Reflect.apply(work, thisArg, args)),
    });
  },
  enable: () => contextManager,
  disable: () => contextManager,
};

function rootFor(place: Trace): OtelContext {
  return place === noTrace ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(place));
}

/** Begins the span of work that came from outside, in the context of that work. */
export const begin: Tracing['begin'] = (context, incoming) => {
  const span = beginSpan(context, incoming);
  return (attributes, fault) => end(span, attributes, fault);
};

/** Begins the span of a request, by the conventions for HTTP servers (https://opentelemetry.io/docs/specs/semconv/http/http-spans/). */
export const beginRequest: Tracing['beginRequest'] = (context, request, response, route) => {
  const { headers, method = '' } = request;
  // The name must not be the choice of a client.
  const name = methods.has(method) ? method : 'HTTP';
  const span = beginSpan(context, {
    name: route === undefined ? name : `${name} ${route}`,
    kind: 'server',
    attributes: attributesOf(request, methods.has(method) ? method : '_OTHER', route),
    parent: parseTrace(text(headers[headerNames.traceparent]), text(headers[headerNames.tracestate])),
  });
  response.once('close', () => {
    const { headersSent, statusCode, writableFinished } = response;
    const attributes = headersSent ? { [ATTR_HTTP_RESPONSE_STATUS_CODE]: statusCode } : {};
    end(span, attributes, faultOf(statusCode, writableFinished));
  });
};

const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER };

function beginSpan(context: Context, { name, kind, attributes, parent: caller }: Incoming): Span {
  const parent = caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(caller, true));
  const tracer = trace.getTracer(about.name, about.version);
  const span = runWith(context, () => tracer.startSpan(name, { kind: kinds[kind], attributes }, parent));
  enterSpan(context, trace.setSpan(parent, span));
  return span;
}

function end(span: Span, attributes: SpanAttributes, fault: string | undefined): void {
  span.setAttributes(attributes);
  if (fault !== undefined) span.setAttribute(ATTR_ERROR_TYPE, fault).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Without the query, which may hold tokens. */
function attributesOf({ headers, socket, url = '/' }: IncomingMessage, method: string, route?: string): SpanAttributes {
  const [path = '/'] = url.split('?', 1);
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_URL_PATH]: path,
    [ATTR_URL_SCHEME]: 'encrypted' in socket ? 'https' : 'http',
    [ATTR_CLIENT_ADDRESS]: socket.remoteAddress,
    [ATTR_USER_AGENT_ORIGINAL]: headers['user-agent'],
    [ATTR_HTTP_ROUTE]: route,
  };
}

/** An error of the client is not a fault of the server. */
function faultOf(status: number, whole: boolean): string | undefined {
  if (!whole) return 'connection_closed';
  return status >= 500 ? String(status) : undefined;
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * `fetch` with a span, a child of the current one, by the conventions for HTTP clients
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span). It ends when the head of the reply arrives or the
 * call fails.
 */
async function fetchWithSpan(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { method } = request;
  const { protocol, host, hostname, port, pathname } = new URL(request.url);
  const attributes = {
    [ATTR_HTTP_REQUEST_METHOD]: methods.has(method) ? method : '_OTHER',
    // Without credentials and query, which may hold secrets.
    [ATTR_URL_FULL]: `${protocol}//${host}${pathname}`,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: Number(port || (protocol === 'https:' ? 443 : 80)),
  };
  const name = methods.has(method) ? method : 'HTTP';
  const span = trace.getTracer(about.name, about.version).startSpan(name, { kind: SpanKind.CLIENT, attributes });
  request.headers.set(headerNames.traceparent, formatTraceparent(traceOf(span.spanContext())));
  let fault: string | undefined;
  try {
    const response = await fetch(request);
    span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, response.status);
    // For a client, 4xx is a fault too.
    if (response.status >= 400) fault = String(response.status);
    return response;
  } catch (error) {
    fault = typeOf(error);
    throw error;
  } finally {
    end(span, {}, fault);
  }
}

/** Work that outlives its request has a trace of its own, which links to that of the request. */
function detached(name: string): Context | undefined {
  const { id, trace: from } = current();
  if (!from.sampled) return undefined;
  const context = new Context({ id, trace: { traceId: newTraceId(), spanId: newSpanId(), sampled: true } });
  const links = [{ context: spanContextOf(from) }];
  const tracer = trace.getTracer(about.name, about.version);
  const span = runWith(context, () => tracer.startSpan(name, { root: true, links }));
  enterSpan(context, trace.setSpan(ROOT_CONTEXT, span));
  context.signal.addEventListener('abort', () => span.end(), { once: true });
  return context;
}

/** The nearest code, which is that of the cause for `fetch failed`. */
function typeOf(error: unknown): string {
  for (const each of chain(error)) {
    if (each instanceof Error && 'code' in each && typeof each.code === 'string') return each.code;
  }
  return error instanceof Error ? error.name : '_OTHER';
}

/**
 * @param place position in a trace
 * @param isRemote whether it belongs to a caller in another process
 * @returns the same as OpenTelemetry's type
 */
function spanContextOf({ traceId, spanId, sampled, state }: Trace, isRemote = false): SpanContext {
  return {
    traceId,
    spanId,
    isRemote,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(state === undefined ? {} : { traceState: new TraceState(state) }),
  };
}

function traceOf({ traceId, spanId, traceFlags, traceState }: SpanContext): Trace {
  const place = { traceId, spanId, sampled: Boolean(traceFlags & TraceFlags.SAMPLED) };
  return traceState === undefined ? place : { ...place, state: traceState.serialize() };
}
