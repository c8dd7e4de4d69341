import type { ServiceError } from './index.ts';

/**
 * gRPC's statuses in the order of their numbers, each with its HTTP status (google.rpc.Code,
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto).
 */
export const httpStatuses = {
  OK: 200,
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
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
} as const;

export type GrpcStatus = keyof typeof httpStatuses;

const names = Object.keys(httpStatuses).filter(isGrpcStatus);

/** Where several statuses of gRPC have the HTTP status, or none has it. */
const chosen: Readonly<Record<number, GrpcStatus>> = {
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'RESOURCE_EXHAUSTED',
  416: 'OUT_OF_RANGE',
  422: 'INVALID_ARGUMENT',
  500: 'INTERNAL',
};

/**
 * @param error for a caller
 * @returns its own gRPC status, or the equivalent of its HTTP status. Without one it is FAILED_PRECONDITION below 500 and INTERNAL from
 * 500
 */
export function grpcStatusOf({ grpcStatus = '', status }: ServiceError): GrpcStatus {
  if (isGrpcStatus(grpcStatus)) return grpcStatus;
  const equivalent = chosen[status] ?? names.find((name) => httpStatuses[name] === status);
  return equivalent ?? (status < 500 ? 'FAILED_PRECONDITION' : 'INTERNAL');
}

/** @returns the name of a status by its number; UNKNOWN for a number that gRPC does not have */
export function grpcStatusName(code: number): GrpcStatus {
  return names[code] ?? 'UNKNOWN';
}

function isGrpcStatus(name: string): name is GrpcStatus {
  return Object.hasOwn(httpStatuses, name);
}
