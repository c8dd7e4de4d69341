import { type ServiceError, unavailable } from '../../../../pkg/errors/index.ts';

/** The code of requests that are turned away for want of time or memory: on purpose, and so no fault to be looked into. */
export const overloadedCode = 'overloaded';

/** Seconds after which to come again. */
export const retryAfter = 1;

/** @returns what a request fails with for which there is no memory */
export function overloaded(): ServiceError {
  return unavailable('The service is busy. Try again.', { code: overloadedCode, retryAfterMs: retryAfter * 1000 });
}
