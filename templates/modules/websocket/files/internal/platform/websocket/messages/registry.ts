import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Envelope, control } from '../../../../pkg/client/websocket/envelope.ts';
import { ProtocolError, faultsIn } from './faults.ts';
import type { MessageDefinition } from './definitions.ts';
import type { Peer } from '../connections/peer.ts';

/** What a handler is told of its message beyond the payload. The context (id, trace, deadline) is `current()`. */
export interface Received {
  readonly peer: Peer;
  readonly envelope: Envelope;
}

/** Handles messages of one kind. What it throws, its sender learns as problem details would tell it. */
export type Handler<Payload extends TSchema, Response extends TSchema | undefined> = (
  payload: Static<Payload>,
  received: Received,
) => Answer<Response> | Promise<Answer<Response>>;

/** What a handler gives: the payload of the answer, if there is to be one. */
export type Answer<Response extends TSchema | undefined> = Response extends TSchema ? Static<Response> : void;

/** A kind of message, ready to be handled. */
export interface Entry {
  readonly definition: MessageDefinition;
  /** Whether it is one of the protocol's own: those may be handled again. */
  readonly isControl: boolean;
  /** Throws a ProtocolError when the payload is not valid. */
  readonly handle: (received: Received) => unknown;
  /** Throws when an answer is not what the definition promises. */
  readonly checkAnswer: (value: unknown) => void;
}

const controlTypes: ReadonlySet<string> = new Set(Object.values(control));

/** The kinds of messages that a server takes. */
export class Registry {
  /** Type → version → entry. */
  readonly #entries = new Map<string, Map<string, Entry>>();

  /**
   * @param definition of the message
   * @param handler of it
   * @throws {Error} when it is there already
   */
  add<Payload extends TSchema, Response extends TSchema | undefined>(
    definition: MessageDefinition<Payload, Response>,
    handler: Handler<Payload, Response>,
  ): void {
    const { type, version, payload, response } = definition;
    const versions = this.#entries.get(type) ?? new Map<string, Entry>();
    if (versions.has(version)) throw new Error(`Message "${type}" ${version} is registered twice`);
    const validator = Compile(payload);
    const answers = response === undefined ? undefined : Compile(response);
    const isPayload = (value: unknown): value is Static<Payload> => validator.Check(value);
    versions.set(version, {
      definition,
      isControl: controlTypes.has(type),
      handle(received) {
        const value = received.envelope.payload;
        if (isPayload(value)) return handler(value, received);
        throw new ProtocolError('invalid_payload', `The payload is not that of "${type}" ${version}.`, {
          errors: faultsIn(validator, value),
        });
      },
      checkAnswer(value) {
        if (answers?.Check(value) === false) {
          const [fault] = answers.Errors(value);
          throw new Error(
            `The answer to "${type}" ${version} is not valid at "${fault?.instancePath}": ${fault?.message}`,
          );
        }
      },
    });
    this.#entries.set(type, versions);
  }

  /**
   * @param envelope of a message
   * @returns how it is handled
   * @throws {ProtocolError} when nothing is known of its type or version
   */
  entryOf({ type, version }: Envelope): Entry {
    const versions = this.#entries.get(type);
    if (versions === undefined) throw new ProtocolError('unknown_type', `There are no messages "${type}".`);
    const entry = versions.get(version);
    if (entry !== undefined) return entry;
    throw new ProtocolError('unknown_version', `There is no version ${version} of "${type}".`, {
      supported: [...versions.keys()],
    });
  }

  /** All definitions, in order of registration. */
  definitions(): MessageDefinition[] {
    return [...this.#entries.values()].flatMap((versions) =>
      Array.from(versions.values(), ({ definition }) => definition),
    );
  }
}
