import { randomBytes } from 'node:crypto';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type Envelope,
  type ErrorPayload,
  closeCodes,
  control,
  controlVersion,
  maxChannels,
  maxTopicLength,
} from '../../../pkg/client/websocket/envelope.ts';
import { type Trace, formatTraceparent } from '../../../pkg/context/index.ts';
import { ServiceError, as } from '../../../pkg/errors/index.ts';
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
  readonly payload: Payload;
  /** Payload of the answer. Without it, the message is acknowledged. */
  readonly response: Response;
  /** Scopes that the sender must have (module auth). */
  readonly scopes: readonly string[];
}

interface MessageOptions<Payload extends TSchema> {
  readonly type: string;
  readonly version: string;
  readonly summary: string;
  readonly payload: Payload;
  readonly scopes?: readonly string[];
}

/**
 * Declares a message that is acknowledged when it is handled.
 * @param options type, version and schema; objects with `additionalProperties: false` refuse unknown keys
 * @returns the definition
 */
export function defineMessage<Payload extends TSchema>(
  options: MessageOptions<Payload>,
): MessageDefinition<Payload, undefined> {
  return { scopes: [], ...options, response: undefined };
}

/**
 * Declares a message that is answered.
 * @param options type, version and schemas
 * @returns the definition
 */
export function defineRequest<Payload extends TSchema, Response extends TSchema>(
  options: MessageOptions<Payload> & { readonly response: Response },
): MessageDefinition<Payload, Response> {
  return { scopes: [], ...options };
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
export const openSession = defineRequest({
  type: control.open,
  version: controlVersion,
  summary:
    'First message of a client: its topics, the session to resume, and the offset of the last published message it has',
  payload: Type.Object(
    {
      sessionId: Type.Optional(Id),
      after: Type.Optional(Offset),
      topics: Type.Optional(Type.Array(TopicName, { maxItems: maxChannels })),
    },
    strict,
  ),
  response: Type.Object(
    {
      sessionId: Id,
      resumed: Type.Boolean(),
      heartbeatMs: Type.Integer(),
      window: Type.Integer(),
      messageLimit: Type.Integer(),
      messagesPerSecond: Type.Integer(),
      offset: Offset,
      lost: Type.Boolean(),
      refused: Type.Record(Type.String(), ErrorSchema),
    },
    strict,
  ),
});
export const subscribe = defineRequest({
  type: control.subscribe,
  version: controlVersion,
  summary: 'Subscribes to a topic: the client gets what is published after the offset of the answer',
  payload: Type.Object({ topic: TopicName }, strict),
  response: PositionSchema,
});
export const unsubscribe = defineRequest({
  type: control.unsubscribe,
  version: controlVersion,
  summary: 'Ends a subscription',
  payload: Type.Object({ topic: TopicName }, strict),
  response: Type.Object({}, strict),
});
export const ping = defineRequest({
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
  summary: `A message was not handled. Without correlationId: why the server closes the connection (close codes ${Object.values(closeCodes).join(', ')})`,
  payload: ErrorSchema,
});
export const controlMessages: readonly MessageDefinition[] = [
  openSession,
  subscribe,
  unsubscribe,
  ping,
  lost,
  ack,
  failure,
];

export type ProtocolErrorCode =
  | 'malformed_json'
  | 'invalid_envelope'
  | 'unknown_type'
  | 'unknown_version'
  | 'invalid_payload'
  | 'binary_not_supported'
  | 'unexpected_response'
  | 'rate_limited'
  | 'token_expired'
  | 'session_replaced'
  | 'topic_unknown'
  | 'channel_limit';

/** A client that connects again may send the same message. */
const retryable: ReadonlySet<ProtocolErrorCode> = new Set(['rate_limited', 'token_expired']);

/** A message breaks the rules of the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  /**
   * @param code for programs
   * @param message for the client
   * @param details as JSON
   */
  constructor(code: ProtocolErrorCode, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/**
 * Describes an error to a client.
 * @param error anything that was thrown
 * @returns the payload of `error`; errors that were not made for callers are `internal`
 */
export function errorPayload(error: unknown): ErrorPayload {
  if (error instanceof ProtocolError) {
    const { code, message, details } = error;
    return { code, message, retryable: retryable.has(code), ...(details && { details }) };
  }
  const known = as(error, ServiceError);
  if (known === undefined) return { code: 'internal', message: 'Something went wrong.', retryable: false };
  const { code, publicMessage, details } = known;
  return { code, message: publicMessage, retryable: known.retryable, ...(details && { details }) };
}

interface Validator {
  readonly Errors: (value: unknown) => readonly { readonly instancePath: string; readonly message: string }[];
}

/** A small message must not produce a large error. */
const maxFaults = 5;

/**
 * Lists what is wrong with a value.
 * @param validator compiled schema
 * @param value that is not valid
 * @returns the first faults
 */
export function faultsIn(validator: Validator, value: unknown): { pointer: string; detail: string }[] {
  const faults = validator.Errors(value).slice(0, maxFaults);
  return faults.map(({ instancePath, message }) => ({ pointer: instancePath, detail: message }));
}

const validator = Compile(EnvelopeSchema);

/**
 * Parses a message.
 * @param text of one message
 * @returns its envelope; the payload is not checked
 * @throws {ProtocolError} when it is not JSON or not an envelope
 */
export function parseEnvelope(text: string): Envelope {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ProtocolError('malformed_json', 'The message is not JSON.');
  }
  if (isEnvelope(parsed)) return parsed;
  const details = { errors: faultsIn(validator, parsed) };
  throw new ProtocolError('invalid_envelope', 'The message does not have the shape of the envelope.', details);
}

function isEnvelope(value: unknown): value is Envelope {
  return validator.Check(value);
}

/** What an envelope holds besides type, version and payload. */
export interface EnvelopeOptions {
  readonly msgId?: string;
  readonly correlationId?: string;
  readonly direction?: 'request' | 'response';
  readonly topic?: string | undefined;
  readonly trace?: Trace;
}

const source = JSON.stringify(about.name);
const idPrefix = randomBytes(6).toString('base64url').replaceAll('-', '_');
let ids = 0;

/** @returns an id that no other message of this process has */
export function newMsgId(): string {
  ids += 1;
  return `${idPrefix}-${ids.toString(36)}`;
}

/**
 * Writes a message. Strings that need no escaping are written as they are: this code runs for every answer.
 * @param definition type and version
 * @param payload as JSON
 * @param options the rest of the envelope
 * @returns the text
 */
export function writeEnvelope(
  { type, version }: Pick<MessageDefinition, 'type' | 'version'>,
  payload: unknown,
  options: EnvelopeOptions = {},
): string {
  const { msgId = newMsgId(), correlationId, direction, topic, trace } = options;
  let text = `{"msgId":"${msgId}","timestamp":${Date.now()},"source":${source},"type":"${type}","version":"${version}"`;
  if (correlationId !== undefined) text += `,"correlationId":"${correlationId}"`;
  if (direction !== undefined) text += `,"direction":"${direction}"`;
  if (topic !== undefined) text += `,"topic":${JSON.stringify(topic)}`;
  if (trace !== undefined) text += `,"traceparent":"${formatTraceparent(trace)}"`;
  // `undefined` has no JSON.
  return `${text},"payload":${JSON.stringify(payload) ?? 'null'}}`;
}

export type OpenRequest = Static<typeof openSession.payload>;
