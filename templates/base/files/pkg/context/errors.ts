import { type ServiceError, cancelled, deadlineExceeded } from '../errors/index.ts';

/**
 * @param what ran out of time, for the log
 * @returns the error of work whose deadline has passed: 504 for whoever asked
 */
export function outOfTime(what: string): ServiceError {
  const cause = new Error(`${what}: no time left`);
  return deadlineExceeded('The time allowed for this request is over.', { cause });
}

/**
 * @param why for the log
 * @returns the error of work that nobody waits for any more; its status, 499, is seen in logs alone
 */
export function givenUp(why: string): ServiceError {
  return cancelled('The request was given up.', { cause: new Error(why) });
}
