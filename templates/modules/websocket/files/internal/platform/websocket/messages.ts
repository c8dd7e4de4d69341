import { randomUUID } from 'node:crypto';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import {
  type Envelope,
  type ErrorPayload,
  control,
  controlVersion,
  maxTopics,
  maxTopicLength,
} from '../../../pkg/client/websocket/envelope.ts';
import { type Trace, formatTraceparent } from '../../../pkg/context/index.ts';
import { ServiceError, as, invalidArgument } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';

/** A kind of message. */
export interface MessageDefinition<
  Payload extends TSchema = TSchema,
  Response extends TSchema | undefined = TSchema | undefined,
> {
  /** Lower case, such as `orders.create`. */
  readonly type: string;
  /** `<major>.<minor>`. Several versions of a type can be served at once, each with its own definition. */
  readonly version: string;
  /** One line for `/websocket.json`. */
  readonly summary: string;
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

/**
 * @param message its type and version
 * @returns such as `orders.create@1.0`
 */
export function nameOf({ type, version }: Pick<MessageDefinition, 'type' | 'version'>): string {
  return `${type}@${version}`;
}

/** Safe in logs and in JSON as it is. */
const Id = Type.String({ pattern: '^[\\w.:-]{1,64}$' });
const Offset = Type.String({ pattern: '^\\d{1,16}-\\d{1,16}$' });
const TopicName = Type.String({ minLength: 1, maxLength: maxTopicLength });
const strict = { additionalProperties: false } as const;

/** The shape of every message. The payload is checked by the schema of its type. */
export const EnvelopeSchema = Type.Object(
  {
    msgId: Id,
    timestamp: Type.Integer({ minimum: 0, description: 'Milliseconds since 1970' }),
    source: Type.String({ minLength: 1, maxLength: 128 }),
    type: Type.String({ pattern: '^[a-z][\\w.-]{0,63}$' }),
    version: Type.String({ pattern: '^\\d{1,4}\\.\\d{1,4}$' }),
    payload: Type.Unknown(),
    correlationId: Type.Optional(Id),
    direction: Type.Optional(Type.Union([Type.Literal('request'), Type.Literal('response')])),
    traceparent: Type.Optional(Type.String({ maxLength: 128 })),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    topic: Type.Optional(TopicName),
    offset: Type.Optional(Offset),
  },
  strict,
);

const PositionSchema = Type.Object({ offset: Offset }, strict);
const ErrorSchema = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    retryable: Type.Boolean(),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  strict,
);

/** The protocol's own messages. */
export const subscribe = defineMessage({
  type: control.subscribe,
  version: controlVersion,
  summary:
    'First message of a connection, and later for more topics. With `after`, the offset of the last published message that the client has, it gets what it missed. From now on it also gets what is pushed to its subject',
  payload: Type.Object(
    { topics: Type.Array(TopicName, { maxItems: maxTopics }), after: Type.Optional(Offset) },
    strict,
  ),
  response: Type.Object(
    { offset: Offset, lost: Type.Boolean(), refused: Type.Record(Type.String(), ErrorSchema) },
    strict,
  ),
});
export const unsubscribe = defineMessage({
  type: control.unsubscribe,
  version: controlVersion,
  summary: 'Ends a subscription',
  payload: Type.Object({ topic: TopicName }, strict),
  response: Type.Object({}, strict),
});
export const ping = defineMessage({
  type: control.ping,
  version: controlVersion,
  summary: 'Asks whether the server is there. The client has all messages up to the offset of the answer',
  payload: Type.Object({}, strict),
  response: PositionSchema,
});
export const lost = defineMessage({
  type: control.lost,
  version: controlVersion,
  summary: 'Messages before the offset are lost to this client',
  payload: PositionSchema,
});
export const ack = defineMessage({
  type: control.ack,
  version: controlVersion,
  summary: 'A message without an answer was handled',
  payload: Type.Object({}, strict),
});
export const failure = defineMessage({
  type: control.error,
  version: controlVersion,
  summary: 'A message was not handled',
  payload: ErrorSchema,
});
export const controlMessages: readonly MessageDefinition[] = [subscribe, unsubscribe, ping, lost, ack, failure];

/**
 * Describes an error to a client.
 * @param error anything that was thrown
 * @returns the payload of `error`; errors that were not made for callers are `internal`
 */
export function errorPayload(error: unknown): ErrorPayload {
  const known = as(error, ServiceError);
  if (known === undefined) return { code: 'internal', message: 'Something went wrong.', retryable: false };
  const { code, publicMessage, details } = known;
  return { code, message: publicMessage, retryable: known.retryable, ...(details && { details }) };
}

/** A small message must not produce a large error. */
const maxFaults = 5;

/**
 * Compiles a schema for what clients send.
 * @param schema of the value
 * @param error code and message of the error
 * @returns a function that returns a valid value, and throws a ServiceError that lists the first faults of another one
 */
export function checkerOf<Schema extends TSchema>(
  schema: Schema,
  { code, message }: { readonly code: string; readonly message: string },
): (value: unknown) => Static<Schema> {
  const validator = Compile(schema);
  const isValid = (value: unknown): value is Static<Schema> => validator.Check(value);
  return (value) => {
    if (isValid(value)) return value;
    const faults = validator.Errors(value).slice(0, maxFaults);
    const errors = faults.map(({ instancePath, message: detail }) => ({ pointer: instancePath, detail }));
    throw invalidArgument(message, { code, details: { errors } });
  };
}

/**
 * Checks what the service itself sends.
 * @param what for the error
 * @param schema of the value
 * @param value to check
 * @throws {Error} when the value is not valid
 */
export function assertSent(what: string, schema: TSchema, value: unknown): void {
  const [fault] = Value.Errors(schema, value);
  if (fault !== undefined) throw new Error(`${what} is not valid at "${fault.instancePath}": ${fault.message}`);
}

const checkEnvelope = checkerOf(EnvelopeSchema, {
  code: 'invalid_envelope',
  message: 'The message does not have the shape of the envelope.',
});

/**
 * Parses a message.
 * @param text of one message
 * @returns its envelope; the payload is not checked
 * @throws {ServiceError} when it is not JSON or not an envelope
 */
export function parseEnvelope(text: string): Envelope {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalidArgument('The message is not JSON.', { code: 'malformed_json' });
  }
  return checkEnvelope(parsed);
}

/** What an envelope holds besides type, version and payload. */
export interface EnvelopeOptions {
  /** `msgId` of the message that is answered. */
  readonly correlationId?: string | undefined;
  readonly topic?: string | undefined;
  readonly trace?: Trace;
}

/**
 * Writes a message.
 * @param definition type and version
 * @param payload as JSON
 * @param options the rest of the envelope
 * @returns the text
 */
export function writeEnvelope(
  { type, version }: Pick<MessageDefinition, 'type' | 'version'>,
  payload: unknown,
  { correlationId, topic, trace }: EnvelopeOptions = {},
): string {
  return JSON.stringify({
    msgId: randomUUID(),
    timestamp: Date.now(),
    source: about.name,
    type,
    version,
    correlationId,
    direction: correlationId && 'response',
    topic,
    traceparent: trace && formatTraceparent(trace),
    // `undefined` has no JSON.
    payload: payload ?? null,
  });
}
