import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type Envelope, control } from '../../../../pkg/client/websocket/envelope.ts';
import { current, givenUp, longestTimer, outOfTime } from '../../../../pkg/context/index.ts';
import { unavailable } from '../../../../pkg/errors/index.ts';
import { writeEnvelope } from './envelope.ts';
import { ProtocolError, errorOf } from './faults.ts';
import { failure } from './control.ts';
import type { MessageDefinition } from './definitions.ts';

interface Waiting {
  readonly answered: (envelope: Envelope) => void;
  readonly failed: (reason: Error) => void;
}

/** The most questions that one client may be asked at a time. */
const mostCalls = 64;

/** Questions of the server to one client, by `correlationId` of the answer. */
export class Calls {
  readonly #waiting = new Map<string, Waiting>();

  /**
   * @param definition of a message with a response
   * @param payload of the question
   * @param timeoutMs milliseconds to wait
   * @param send takes its text
   * @returns the payload of the answer
   * @throws {ServiceError} what the client answered with; 504 when it does not answer; 499 when it is gone
   */
  async begin<Payload extends TSchema, Response extends TSchema>(
    { type, version, response }: MessageDefinition<Payload, Response>,
    payload: Static<Payload>,
    timeoutMs: number,
    send: (text: string) => void,
  ): Promise<Static<Response>> {
    if (this.#waiting.size >= mostCalls) throw unavailable('The client is asked too much.');
    const { trace } = current();
    const text = writeEnvelope(type, version, payload, { direction: 'request', trace });
    const msgId = idOf(text);
    const { promise, resolve, reject } = Promise.withResolvers<Envelope>();
    const ms = Math.min(timeoutMs, current().remainingMs(), longestTimer);
    const timer = setTimeout(() => reject(outOfTime(msgId)), ms);
    this.#waiting.set(msgId, { answered: resolve, failed: reject });
    try {
      send(text);
      const answer = await promise;
      if (answer.type === control.error) throw errorOf(Value.Parse(failure.payload, answer.payload));
      return Value.Parse(response, answer.payload);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(msgId);
    }
  }

  /**
   * @param envelope an answer
   * @returns whether it was waited for
   */
  end(envelope: Envelope): boolean {
    const { correlationId } = envelope;
    if (correlationId === undefined) throw new ProtocolError('invalid_envelope', 'An answer needs a correlationId.');
    const waiting = this.#waiting.get(correlationId);
    waiting?.answered(envelope);
    return waiting !== undefined;
  }

  /** The client is gone. */
  close(): void {
    for (const { failed } of this.#waiting.values()) failed(givenUp('the client is gone'));
  }
}

/** `writeEnvelope` puts it first. */
function idOf(text: string): string {
  return text.slice('{"msgId":"'.length, text.indexOf('"', '{"msgId":"'.length));
}
