import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { ATTR_CLIENT_ADDRESS, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { runWith } from '../../pkg/context/index.ts';
import type { GrpcStatus } from '../../pkg/errors/index.ts';
import { enterSpan } from './contextManager.ts';
import { spanContextOf } from './spanContext.ts';
import type { Tracing } from './tracing.ts';

/** What a server has to answer for (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/). */
const faults: ReadonlySet<GrpcStatus> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/**
 * @param tracer makes the spans
 * @returns how the span of a call by gRPC begins, by the conventions for RPC servers
 * (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/)
 */
export function rpcSpans(tracer: Tracer): Tracing['beginRpc'] {
  return (context, { method, peer, parent: caller }) => {
    const parent =
      caller === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(caller, true));
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method, [ATTR_CLIENT_ADDRESS]: peer };
    const span = runWith(context, () => tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent));
    enterSpan(context, trace.setSpan(parent, span));
    return (status) => {
      span.setAttribute('rpc.response.status_code', status);
      if (faults.has(status)) span.setAttribute(ATTR_ERROR_TYPE, status).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    };
  };
}
