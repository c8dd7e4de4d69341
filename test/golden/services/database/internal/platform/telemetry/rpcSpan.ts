import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ATTR_CLIENT_ADDRESS, ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { GrpcStatus } from '../../../pkg/errors/index.ts';
import { beginSpan } from './beginSpan.ts';
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
 * Begins the span of a call by gRPC, by the conventions for RPC servers
 * (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/).
 */
export const beginRpc: Tracing['beginRpc'] = (context, { method, peer, parent: caller }) => {
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method, [ATTR_CLIENT_ADDRESS]: peer };
  const span = beginSpan(context, method, { kind: SpanKind.SERVER, attributes }, caller);
  return (status) => {
    span.setAttribute('rpc.response.status_code', status);
    if (faults.has(status)) span.setAttribute(ATTR_ERROR_TYPE, status).setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
};
