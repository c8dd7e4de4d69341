import type { ServiceError } from './index.ts';

/** gRPC's status codes by name (google.rpc.Code, https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
export const grpcCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = keyof typeof grpcCodes;

const byHttpStatus: Readonly<Record<number, GrpcStatus>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'RESOURCE_EXHAUSTED',
  416: 'OUT_OF_RANGE',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/**
 * @param error for a caller
 * @returns its own gRPC status, or the equivalent of its HTTP status: the reverse of the table in code.proto. Without one it is
 * FAILED_PRECONDITION below 500 and INTERNAL from 500
 */
export function grpcStatusOf({ grpcStatus = '', status }: ServiceError): GrpcStatus {
  if (isGrpcStatus(grpcStatus)) return grpcStatus;
  return byHttpStatus[status] ?? (status < 500 ? 'FAILED_PRECONDITION' : 'INTERNAL');
}

/** @returns whether this is the name of a status of gRPC */
export function isGrpcStatus(name: string): name is GrpcStatus {
  return Object.hasOwn(grpcCodes, name);
}
