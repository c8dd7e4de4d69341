import { randomUUID } from 'node:crypto';
import { type Static, type TSchema, Type } from 'typebox';
import {
  type Envelope,
  type ErrorPayload,
  type Position,
  type Subscribed,
  control,
  controlVersion as version,
  maxTopics,
  maxTopicLength,
} from '../../../pkg/client/websocket/envelope.ts';
import { type Trace, formatTraceparent } from '../../../pkg/context/index.ts';
import { ServiceError, as, invalidArgument } from '../../../pkg/errors/index.ts';
import { faultsOf, matches } from '../../../pkg/validation/index.ts';
import { about } from '../app/about.ts';

/** Names a kind of message. Several versions of a type can be served at once, each with its own definition. */
export interface MessageKind {
  /** Lower case, such as `orders.create`. */
  readonly type: string;
  /** `<major>.<minor>`. */
  readonly version: string;
}

/** A kind of message. */
export interface MessageDefinition<
  Payload extends TSchema = TSchema,
  Response extends TSchema | undefined = TSchema | undefined,
> extends MessageKind {
  /** Objects with `additionalProperties: false` refuse unknown keys. */
  readonly payload: Payload;
  /** Payload of the answer. Without it, the message is acknowledged. */
  readonly response?: Response;
  /** Scopes that the sender must have (module auth). */
  readonly scopes?: readonly string[];
}

/**
 * Declares a kind of message.
 * @param definition type, version and schemas
 * @returns the same, with its types
 */
export function defineMessage<Payload extends TSchema, Response extends TSchema | undefined = undefined>(
  definition: MessageDefinition<Payload, Response>,
): MessageDefinition<Payload, Response> {
  return definition;
}

/** @returns such as `orders.create@1.0` */
export function nameOf({ type, version: number }: MessageKind): string {
  return `${type}@${number}`;
}

const strict = { additionalProperties: false } as const;
/** Safe in logs and in JSON as it is. */
const Id = Type.String({ pattern: '^[\\w.:-]{1,64}$' });
const Offset = Type.String({ pattern: '^\\d{1,16}-\\d{1,16}$' });
const TopicName = Type.String({ minLength: 1, maxLength: maxTopicLength });

/** The payload is checked by the schema of its type. */
const EnvelopeSchema = Type.Object(
  {
    msgId: Id,
    timestamp: Type.Integer({ minimum: 0 }),
    source: Type.String({ minLength: 1, maxLength: 128 }),
    type: Type.String({ pattern: '^[a-z][\\w.-]{0,63}$' }),
    version: Type.String({ pattern: '^\\d{1,4}\\.\\d{1,4}$' }),
    payload: Type.Unknown(),
    correlationId: Type.Optional(Id),
    direction: Type.Optional(Type.Enum(['request', 'response'])),
    traceparent: Type.Optional(Type.String({ maxLength: 128 })),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    topic: Type.Optional(TopicName),
    offset: Type.Optional(Offset),
  },
  strict,
);

/** The first message of a connection, and later for more topics. After a reconnect it says from where the client goes on. */
export const subscribe = defineMessage({
  type: control.subscribe,
  version,
  payload: Type.Object(
    { topics: Type.Array(TopicName, { maxItems: maxTopics }), after: Type.Optional(Offset) },
    strict,
  ),
  response: Type.Unsafe<Subscribed>({}),
});
export const unsubscribe = defineMessage({
  type: control.unsubscribe,
  version,
  payload: Type.Object({ topic: TopicName }, strict),
});
export const ping = defineMessage({
  type: control.ping,
  version,
  payload: Type.Object({}, strict),
  response: Type.Unsafe<Position>({}),
});
export const lost: MessageKind = { type: control.lost, version };
export const ack: MessageKind = { type: control.ack, version };
export const failure: MessageKind = { type: control.error, version };

/**
 * Describes an error to a client.
 * @param error anything that was thrown
 * @returns the payload of `error`; errors that were not made for callers are `internal`
 */
export function errorPayload(error: unknown): ErrorPayload {
  const known = as(error, ServiceError);
  if (known === undefined) return { code: 'internal', message: 'Something went wrong.', retryable: false };
  const { code, publicMessage, details, retryable } = known;
  return { code, message: publicMessage, retryable, ...(details && { details }) };
}

/** A small message must not produce a large error. */
const maxFaults = 5;

/**
 * Checks what a client sent.
 * @param schema of the value
 * @param value to check
 * @param code of the error
 * @param message of the error
 * @returns the value
 * @throws {ServiceError} that lists the first faults
 */
export function checked<Schema extends TSchema>(
  schema: Schema,
  value: unknown,
  code: string,
  message: string,
): Static<Schema> {
  if (matches(schema, value)) return value;
  throw invalidArgument(message, { code, details: { errors: faultsOf(schema, value).slice(0, maxFaults) } });
}

/**
 * Parses a message.
 * @param text of one message
 * @returns its envelope; the payload is not checked
 * @throws {ServiceError} when it is not JSON or not an envelope
 */
export function parseEnvelope(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidArgument('The message is not JSON.', { code: 'malformed_json' });
  }
  const message = 'The message does not have the shape of the envelope.';
  return checked(EnvelopeSchema, value, 'invalid_envelope', message);
}

/** What an envelope holds besides type, version and payload. */
export interface EnvelopeOptions {
  /** Schema of the payload. */
  readonly schema?: TSchema;
  /** `msgId` of the message that is answered. */
  readonly correlationId?: string;
  readonly topic?: string | undefined;
  readonly trace?: Trace;
}

/**
 * Writes a message.
 * @param kind of the message
 * @param payload as JSON
 * @param options the rest of the envelope
 * @returns the text
 * @throws {Error} when the payload is not valid: what the service sends is a fault of the service
 */
export function writeEnvelope(
  kind: MessageKind,
  payload: unknown,
  { schema, correlationId, topic, trace }: EnvelopeOptions = {},
): string {
  if (schema !== undefined && !matches(schema, payload))
    throw new Error(`The payload of ${nameOf(kind)} is not valid: ${JSON.stringify(faultsOf(schema, payload))}`);
  return JSON.stringify({
    msgId: randomUUID(),
    timestamp: Date.now(),
    source: about.name,
    type: kind.type,
    version: kind.version,
    correlationId,
    direction: correlationId && 'response',
    topic,
    traceparent: trace && formatTraceparent(trace),
    // `undefined` has no JSON.
    payload: payload ?? null,
  });
}
