import { type Envelope, type ErrorPayload, control, controlVersion } from './envelope.ts';
import { MessageError } from './errors.ts';
import type { Message } from './writer.ts';

/** Answers what the server asks. */
export type Responder = (payload: unknown, message: Envelope) => unknown;

/** Who answers what the server asks, by type. */
export class Responders {
  readonly #responders = new Map<string, Responder>();

  /**
   * @param type of messages
   * @param responder gives the payload of the answer
   */
  set(type: string, responder: Responder): void {
    this.#responders.set(type, responder);
  }

  /**
   * @param message of the server
   * @returns the answer, or what went wrong; it does not fail
   */
  async answer(message: Envelope): Promise<Partial<Envelope> & Message> {
    const { type, version, msgId: correlationId, payload } = message;
    const answer = { version, correlationId, direction: 'response' } as const;
    const responder = this.#responders.get(type);
    try {
      if (responder === undefined) throw new MessageError({ code: 'unknown_type', message: type, retryable: false });
      return { ...answer, type, payload: await responder(payload, message) };
    } catch (error) {
      const { code = 'internal', retryable = false } = error instanceof MessageError ? error : {};
      const told: ErrorPayload = { code, message: error instanceof Error ? error.message : 'It failed.', retryable };
      return { ...answer, type: control.error, version: controlVersion, payload: told };
    }
  }
}
