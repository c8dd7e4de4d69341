import { Code, ConnectError } from '@connectrpc/connect';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema, RetryInfoSchema } from '../../../api/gen/google/rpc/error_details_pb.ts';
import { type GrpcStatus, ServiceError, grpcCodes } from '../../errors/index.ts';

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

const names = new Map<number, GrpcStatus>(
  Object.keys(httpStatuses)
    .filter(isStatus)
    .map((name) => [grpcCodes[name], name]),
);

/**
 * @param error what a call by gRPC threw
 * @returns the error that the callee had in mind, as far as its status tells: code, details, when to come again
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

/** The numbers of both are gRPC's. */
function statusOf(code: number): GrpcStatus {
  return names.get(code) ?? 'UNKNOWN';
}

function isStatus(name: string): name is GrpcStatus {
  return Object.hasOwn(grpcCodes, name);
}
