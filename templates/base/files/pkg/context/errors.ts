import { ServiceError } from '../errors/index.ts';

/**
 * @param what ran out of time, for the log
 * @returns the error of work whose deadline has passed: 504 for whoever asked
 */
export function deadlineExceeded(what: string): ServiceError {
  return new ServiceError({
    code: 'deadline_exceeded',
    status: 504,
    publicMessage: 'The time allowed for this request is over.',
    cause: new Error(`${what}: no time left`),
  });
}

/**
 * @param why for the log
 * @returns the error of work that nobody waits for any more; its status, 499, is seen in logs alone
 */
export function canceled(why: string): ServiceError {
  return new ServiceError({
    code: 'canceled',
    status: 499,
    publicMessage: 'The request was given up.',
    cause: new Error(why),
  });
}
