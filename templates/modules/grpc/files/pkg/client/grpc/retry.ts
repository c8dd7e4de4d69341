import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency, durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { type GrpcStatus, grpcCodes, isGrpcStatus } from '../../errors/grpc.ts';
import { ServiceError, chain } from '../../errors/index.ts';

/** Max attempts, the first included. */
const attempts = 3;
/** Milliseconds before the second attempt. The pause doubles for each further attempt. Half of it is random. */
const waitMs = 50;
/** Attempts when a stopping callee refuses late calls, until the connection to another instance is open. */
const refusedAttempts = 5;

/**
 * Repeats a call that failed with UNAVAILABLE, if its method is idempotent or the callee has certainly not begun it.
 * @param method that is called
 * @param signal ends the waiting
 * @param attempt makes one attempt
 * @returns the result of the first attempt that succeeds
 * @throws {ServiceError} the error of the last attempt
 */
export async function retrying<Value>(
  { idempotency }: DescMethod,
  signal: AbortSignal,
  attempt: () => Promise<Value>,
): Promise<Value> {
  const maxAttempts = idempotency === Idempotency.IDEMPOTENCY_UNKNOWN ? 1 : attempts;
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ServiceError) || signal.aborted) throw error;
      const wasRefused = isRefusal(error);
      if (!wasRefused && error.grpcStatus !== 'UNAVAILABLE') throw error;
      if (count >= (wasRefused ? refusedAttempts : maxAttempts)) throw error;
      const ms = error.retryAfterMs ?? waitMs * 2 ** (count - 1) * (0.5 + Math.random() / 2);
      // After an abort, the next attempt throws the reason.
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** HTTP/2 refused the stream: the callee has not seen the call (RFC 9113, 8.7). */
function isRefusal(error: ServiceError): boolean {
  return [...chain(error)].some((each) => each instanceof Error && each.message.includes('NGHTTP2_REFUSED_STREAM'));
}

/** The table in google.rpc's code.proto. */
const httpStatuses: Readonly<Partial<Record<GrpcStatus, number>>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  INTERNAL: 500,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

/**
 * @param error what a gRPC call threw
 * @returns the error of the callee, with code, details and retry time when the status has them
 */
export function serviceErrorOf(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const cause = ConnectError.from(error, Code.Unavailable);
  const grpcStatus = statusOf(cause.code);
  const [info] = cause.findDetails(ErrorInfoSchema);
  const delay = cause.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new ServiceError({
    code: info?.reason ?? grpcStatus.toLowerCase(),
    status: httpStatuses[grpcStatus] ?? 500,
    grpcStatus,
    publicMessage: cause.rawMessage,
    cause,
    ...(info && Object.keys(info.metadata).length > 0 && { details: info.metadata }),
    ...(delay && { retryAfterMs: durationMs(delay) }),
  });
}

/** Connect uses the numbers of gRPC. */
function statusOf(code: number): GrpcStatus {
  return (
    Object.keys(grpcCodes)
      .filter(isGrpcStatus)
      .find((name) => grpcCodes[name] === code) ?? 'UNKNOWN'
  );
}
