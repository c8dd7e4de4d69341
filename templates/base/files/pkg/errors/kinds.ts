import { ServiceError, type ServiceErrorOptions } from './serviceError.ts';

/** What may be said beyond the kind: a code of its own, cause, details, tags. */
export type More = Partial<Omit<ServiceErrorOptions, 'publicMessage' | 'status' | 'grpcStatus'>>;

/**
 * @param what the kind of thing, such as `item`
 * @param id of the one that is missing
 * @returns a 404 with the code `<what>_not_found`
 */
export function notFound(what: string, id: string): ServiceError {
  return new ServiceError({ code: `${what}_not_found`, status: 404, publicMessage: `There is no ${what} "${id}".` });
}

/** What was asked can never be right, whatever the state: 400, INVALID_ARGUMENT. */
export function invalidArgument(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'invalid_argument', ...more, status: 400, publicMessage });
}

/** Nobody has shown who is calling: 401, UNAUTHENTICATED. The reply's WWW-Authenticate is the thrower's to set (RFC 9110, 11.6.1). */
export function unauthenticated(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'unauthenticated', ...more, status: 401, publicMessage });
}

/** The caller is known, and may not: 403, PERMISSION_DENIED. */
export function permissionDenied(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'permission_denied', ...more, status: 403, publicMessage });
}

/** What was asked does not go with the state as it is: 409, ABORTED. */
export function conflict(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'conflict', ...more, status: 409, publicMessage });
}

/** Too much was asked for: 429, RESOURCE_EXHAUSTED; `retryAfterMs` says when to come again. */
export function resourceExhausted(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'resource_exhausted', ...more, status: 429, publicMessage });
}

/** Whoever asked has gone: 499, as nginx has it, CANCELLED. */
export function cancelled(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'cancelled', ...more, status: 499, publicMessage });
}

/** A fault of our own, with something to say about it: 500, INTERNAL. */
export function internal(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'internal', ...more, status: 500, publicMessage });
}

/** Not now: 503, UNAVAILABLE; `retryAfterMs` says when to come again. */
export function unavailable(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'unavailable', ...more, status: 503, publicMessage });
}

/** The time was up before the work was done, which may still take effect: 504, DEADLINE_EXCEEDED. */
export function deadlineExceeded(publicMessage: string, more?: More): ServiceError {
  return new ServiceError({ code: 'deadline_exceeded', ...more, status: 504, publicMessage });
}
