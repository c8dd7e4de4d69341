import type { IncomingMessage } from 'node:http';
import {
  type ContextManager,
  type Context as OtelContext,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions';
import {
  type Context,
  type Trace,
  callSpans,
  contextKey,
  current,
  headerNames,
  noTrace,
  parseTrace,
  runWith,
} from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import type { Incoming, SpanAttributes, Tracing } from '../app/tracing.ts';
import { beginCall, spanContextOf, traceOf } from './calls.ts';

/** OpenTelemetry's own context, where a span was begun. */
const activeKey = contextKey<OtelContext>('OpenTelemetry');

/**
 * What is recorded from here on becomes a child of a span: what libraries do, and calls to other services.
 * @param context of the work
 * @param active OpenTelemetry's own context, with the span
 */
export function enterSpan(context: Context, active: OtelContext): void {
  const span = trace.getSpanContext(active);
  if (span !== undefined) context.trace = traceOf(span);
  context.set(activeKey, active);
  context.set(callSpans, beginCall);
}

/**
 * Keeps OpenTelemetry's context in ours, and so in the one AsyncLocalStorage: what a library records becomes a child of the
 * request's span.
 */
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

/** Begins the span of work that came from outside, in its own context: what is recorded in it becomes a child. */
export const begin: Tracing['begin'] = (context, incoming) => {
  const span = beginSpan(context, incoming);
  return (attributes, fault) => end(span, attributes, fault);
};

/** Begins the span of a request, by the conventions for HTTP servers (https://opentelemetry.io/docs/specs/semconv/http/http-spans/). */
export const beginRequest: Tracing['beginRequest'] = (context, request, response, route) => {
  const { headers, method = 'GET' } = request;
  const span = beginSpan(context, {
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    attributes: attributesOf(request, method, route),
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

/** Not the query: people put tokens there. */
function attributesOf({ headers, httpVersion, socket, url = '/' }: IncomingMessage, method: string, route?: string) {
  const [path = '/'] = url.split('?', 1);
  const isEncrypted = 'encrypted' in socket;
  const attributes: Record<string, string | number | undefined> = {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_URL_PATH]: path,
    [ATTR_URL_SCHEME]: isEncrypted ? 'https' : 'http',
    [ATTR_NETWORK_PROTOCOL_VERSION]: httpVersion,
    [ATTR_CLIENT_ADDRESS]: socket.remoteAddress,
    [ATTR_USER_AGENT_ORIGINAL]: headers['user-agent'],
    [ATTR_HTTP_ROUTE]: route,
  };
  const host = URL.parse(`http://${headers.host ?? ''}`);
  if (host !== null) {
    attributes[ATTR_SERVER_ADDRESS] = host.hostname;
    attributes[ATTR_SERVER_PORT] = Number(host.port || (isEncrypted ? 443 : 80));
  }
  return attributes;
}

/** A fault of the client's is none of the server's. */
function faultOf(status: number, whole: boolean): string | undefined {
  if (!whole) return 'connection_closed';
  return status >= 500 ? String(status) : undefined;
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
