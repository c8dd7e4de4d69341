import { ServiceError, invalidArgument } from '../../../../pkg/errors/index.ts';

/** @param limit the most bytes that there may be */
export function bodyTooLarge(limit: number): ServiceError {
  const publicMessage = `The body is larger than ${limit} bytes.`;
  return new ServiceError({ code: 'body_too_large', status: 413, publicMessage });
}

/** @param cause why the rest of the body will not come; nobody hears of it but the log */
export function bodyIncomplete(cause: Error): ServiceError {
  return invalidArgument('The body is not complete.', { code: 'body_incomplete', cause });
}

/** @param text that the parser has refused: for want of JSON, or for a key that is not let in */
export function unreadableJson(text: string): ServiceError {
  if (text === '') return invalidArgument('The body is empty; it has to be JSON.', { code: 'empty_json_body' });
  if (!isJson(text)) return invalidArgument('The body is not valid JSON.', { code: 'invalid_json_body' });
  const message = 'The body has a key that is refused: "__proto__", or "prototype" in "constructor".';
  return invalidArgument(message, { code: 'forbidden_json_key' });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The client has not sent its whole request in time: RFC 9110, 15.5.9. */
export function requestTimeout(): ServiceError {
  return new ServiceError({
    code: 'request_timeout',
    status: 408,
    publicMessage: 'The request did not arrive in time.',
  });
}
