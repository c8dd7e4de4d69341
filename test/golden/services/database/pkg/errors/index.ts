export { type ErrorClass, WrappedError, as, chain, is, tagsOf, wrap } from './chain.ts';
export { type GrpcStatus, grpcCodes, grpcStatusOf } from './grpcStatus.ts';
export {
  type More,
  cancelled,
  conflict,
  deadlineExceeded,
  internal,
  invalidArgument,
  notFound,
  permissionDenied,
  resourceExhausted,
  unauthenticated,
  unavailable,
} from './kinds.ts';
export { ServiceError, type ServiceErrorOptions, type Tags } from './serviceError.ts';
