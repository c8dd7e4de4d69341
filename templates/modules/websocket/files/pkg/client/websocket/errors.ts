import type { ErrorPayload } from './envelope.ts';

/** What went wrong with a message, as the server says it or as the client finds. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  /** The server's own; or `queue_full`, `message_too_large`, `timeout`, `closed` of this client. */
  readonly code: string;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /** @param payload code, message and details */
  constructor({ code, message, retryable, details }: ErrorPayload) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}
