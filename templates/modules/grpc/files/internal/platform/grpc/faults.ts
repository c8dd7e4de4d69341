import { type GrpcStatus, ServiceError } from '../../../pkg/errors/index.ts';

/**
 * @param code stable, for programs and metrics
 * @param grpcStatus what the caller is answered
 * @param publicMessage anyone may read it
 * @param cause for the log
 * @returns the error of a call that breaks the protocol or one of its limits
 */
export function fault(code: string, grpcStatus: GrpcStatus, publicMessage: string, cause?: unknown): ServiceError {
  const status = grpcStatus === 'UNIMPLEMENTED' ? 501 : grpcStatus === 'RESOURCE_EXHAUSTED' ? 429 : 400;
  return new ServiceError({ code, status, grpcStatus, publicMessage, retryable: false, cause });
}
