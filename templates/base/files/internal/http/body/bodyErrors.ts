import { ServiceError, invalidArgument } from '../../../pkg/errors/index.ts';

/** @param limit the most bytes that there may be */
export function bodyTooLarge(limit: number): ServiceError {
  const publicMessage = `The body is larger than ${limit} bytes.`;
  return new ServiceError({ code: 'body_too_large', status: 413, publicMessage });
}

/** @param cause why the rest of the body will not come; nobody hears of it but the log */
export function bodyIncomplete(cause: Error): ServiceError {
  return invalidArgument('The body is not complete.', { code: 'body_incomplete', cause });
}

/** The client has not sent its whole request in time: RFC 9110, 15.5.9. */
export function requestTimeout(): ServiceError {
  return new ServiceError({
    code: 'request_timeout',
    status: 408,
    publicMessage: 'The request did not arrive in time.',
  });
}
