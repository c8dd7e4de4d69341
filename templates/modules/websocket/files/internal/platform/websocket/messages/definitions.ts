import type { TSchema } from 'typebox';

/** A kind of message: what its payload is like, and what answers it. */
export interface MessageDefinition<
  Payload extends TSchema = TSchema,
  Response extends TSchema | undefined = TSchema | undefined,
> {
  /** In lower case, such as `orders.create`. */
  readonly type: string;
  /** `<major>.<minor>`; each version is a definition of its own, and several may be served at once. */
  readonly version: string;
  /** One line, for the document of messages. */
  readonly summary: string;
  readonly payload: Payload;
  /** Of the payload of the answer; without it the message is acknowledged and not answered. */
  readonly response: Response;
  /** A caller must have all of these (module auth). */
  readonly scopes: readonly string[];
}

/** What is told of a kind of message. */
interface Told<Payload extends TSchema> {
  readonly type: string;
  readonly version: string;
  readonly summary: string;
  readonly payload: Payload;
  readonly scopes?: readonly string[];
}

/**
 * Declares a message that is acknowledged once it is handled.
 * @param told its type, version and schema; give objects `additionalProperties: false`, so that unknown keys are refused
 * @returns the definition
 */
export function defineMessage<Payload extends TSchema>(told: Told<Payload>): MessageDefinition<Payload, undefined> {
  return { scopes: [], ...told, response: undefined };
}

/**
 * Declares a message that is answered.
 * @param told its type, version and schemas
 * @returns the definition
 */
export function defineRequest<Payload extends TSchema, Response extends TSchema>(
  told: Told<Payload> & { readonly response: Response },
): MessageDefinition<Payload, Response> {
  return { scopes: [], ...told };
}
