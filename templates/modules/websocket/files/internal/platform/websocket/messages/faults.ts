import type { ErrorPayload } from '../../../../pkg/client/websocket/envelope.ts';
import { ServiceError, as, invalidArgument } from '../../../../pkg/errors/index.ts';

/** What a client can do wrong in the protocol itself. */
export type FaultCode =
  | 'malformed_json'
  | 'invalid_envelope'
  | 'unknown_type'
  | 'unknown_version'
  | 'invalid_payload'
  | 'binary_not_supported'
  | 'unexpected_response'
  | 'rate_limited'
  | 'slow_reader'
  | 'token_expired'
  | 'session_replaced'
  | 'channel_unknown'
  | 'channel_limit';

/** Of these it helps to connect again and to send the same once more. */
const retryableFaults: ReadonlySet<FaultCode> = new Set(['rate_limited', 'slow_reader', 'token_expired']);

/** A message that breaks the rules; its sender is told which. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: FaultCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /**
   * @param code stable, for programs
   * @param message anyone may read it
   * @param details as JSON
   */
  constructor(code: FaultCode, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/**
 * @param error anything that was thrown
 * @returns what the other side learns of it: of errors that nobody has made for callers, nothing
 */
export function payloadOf(error: unknown): ErrorPayload {
  if (error instanceof ProtocolError) {
    const { code, message, details } = error;
    return { code, message, retryable: retryableFaults.has(code), ...(details && { details }) };
  }
  const known = as(error, ServiceError);
  if (known === undefined) return { code: 'internal', message: 'Something went wrong.', retryable: false };
  const { code, publicMessage, retryable, details } = known;
  return { code, message: publicMessage, retryable, ...(details && { details }) };
}

/**
 * @param payload as the other side sent it
 * @returns the same as an error
 */
export function errorOf({ code, message, retryable, details }: ErrorPayload): ServiceError {
  return invalidArgument(message, { code, retryable, ...(details && { details }) });
}

/** What validates by a compiled schema. */
interface Validator {
  readonly Errors: (value: unknown) => readonly { readonly instancePath: string; readonly message: string }[];
}

/** More are not told: to collect them all would let a small message cost much. */
const mostFaults = 5;

/**
 * @param validator of a schema
 * @param value that is not valid
 * @returns where it is not, and why
 */
export function faultsIn(validator: Validator, value: unknown): { pointer: string; detail: string }[] {
  return validator
    .Errors(value)
    .slice(0, mostFaults)
    .map(({ instancePath, message }) => ({ pointer: instancePath, detail: message }));
}
