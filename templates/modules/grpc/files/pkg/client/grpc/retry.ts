import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency, durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { grpcStatusName, httpStatuses } from '../../errors/grpc.ts';
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
      // A token that cannot be read, for example, is no fault of the callee.
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

/**
 * @param error what a gRPC call threw
 * @returns the error of the callee, with code, details and retry time when the status has them
 */
export function serviceErrorOf(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const cause = ConnectError.from(error, Code.Unavailable);
  // Connect uses the numbers of gRPC.
  const grpcStatus = grpcStatusName(cause.code);
  const [info] = cause.findDetails(ErrorInfoSchema);
  const delay = cause.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new ServiceError({
    code: info?.reason ?? grpcStatus.toLowerCase(),
    status: httpStatuses[grpcStatus],
    grpcStatus,
    publicMessage: cause.rawMessage,
    cause,
    ...(info && Object.keys(info.metadata).length > 0 && { details: info.metadata }),
    ...(delay && { retryAfterMs: durationMs(delay) }),
  });
}
