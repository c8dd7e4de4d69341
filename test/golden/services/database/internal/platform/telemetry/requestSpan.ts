import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Attributes, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
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
import { headerNames, parseTrace } from '../../../pkg/context/index.ts';
import { beginSpan } from './beginSpan.ts';
import type { Tracing } from './tracing.ts';

/** Begins the span of a request, by the conventions for HTTP servers (https://opentelemetry.io/docs/specs/semconv/http/http-spans/). */
export const beginRequest: Tracing['begin'] = (context, request, response, route) => {
  const { headers, method = 'GET' } = request;
  const caller = parseTrace(text(headers[headerNames.traceparent]), text(headers[headerNames.tracestate]));
  const name = route === undefined ? method : `${method} ${route}`;
  const options = { kind: SpanKind.SERVER, attributes: attributesOf(request, method, route) };
  const span = beginSpan(context, name, options, caller);
  response.once('close', () => end(span, response));
};

/** Not the query: people put tokens there. */
function attributesOf({ headers, httpVersion, socket, url = '/' }: IncomingMessage, method: string, route?: string) {
  const [path = '/'] = url.split('?', 1);
  const isEncrypted = 'encrypted' in socket;
  const attributes: Attributes = {
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

function end(span: Span, { headersSent, statusCode, writableFinished }: ServerResponse): void {
  if (headersSent) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, statusCode);
  const fault = faultOf(statusCode, writableFinished);
  if (fault !== undefined) {
    span.setAttribute(ATTR_ERROR_TYPE, fault);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** A fault of the client's is none of the server's. */
function faultOf(status: number, whole: boolean): string | undefined {
  if (!whole) return 'connection_closed';
  return status >= 500 ? String(status) : undefined;
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
