import { randomBytes } from 'node:crypto';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { formatTraceparent, type Trace } from '../../../../pkg/context/index.ts';
import { type Envelope, channelNameLimit } from '../../../../pkg/client/websocket/envelope.ts';
import { about } from '../../app/about.ts';
import { ProtocolError, faultsIn } from './faults.ts';

/** An id: well-formed, so that it may stand in logs and in JSON as it is. */
export const Id = Type.String({ pattern: '^[\\w.:-]{1,64}$' });
/** `<number>-<number>`, ascending; nothing else is to be read into it. */
export const Offset = Type.String({ pattern: '^\\d{1,16}-\\d{1,16}$' });
/** Printable ASCII that JSON holds as it is. */
export const ChannelName = Type.String({ pattern: `^[a-z]+:[!#-[\\]-~]{1,${channelNameLimit}}$` });

/** The shape of every message, either way; what a payload is like stands in the schema of its type. */
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
    channel: Type.Optional(ChannelName),
    offset: Type.Optional(Offset),
    previous: Type.Optional(Offset),
  },
  { additionalProperties: false },
);

const validator = Compile(EnvelopeSchema);

/**
 * @param text of one message
 * @returns its envelope; of the payload nothing is checked
 * @throws {ProtocolError} when it is no JSON or no envelope
 */
export function parseEnvelope(text: string): Envelope {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ProtocolError('malformed_json', 'The message is no JSON.');
  }
  if (isEnvelope(parsed)) return parsed;
  throw new ProtocolError('invalid_envelope', 'The message is not of the shape of the envelope.', {
    errors: faultsIn(validator, parsed),
  });
}

function isEnvelope(value: unknown): value is Envelope {
  return validator.Check(value);
}

/** What is said of a message beyond its type and payload. */
export interface About {
  readonly correlationId?: string;
  readonly direction?: 'request' | 'response';
  readonly trace?: Trace;
}

const source = JSON.stringify(about.name);
const prefix = randomBytes(6).toString('base64url').replaceAll('-', '_');
let count = 0;

/**
 * Writes a message. By hand: most of it needs no escaping, and this is on the path of every answer.
 * @param type and version, of a definition, so well-formed
 * @param version of the type
 * @param payload anything that JSON holds
 * @param more what it answers, and what it is part of
 * @returns its text
 */
export function writeEnvelope(type: string, version: string, payload: unknown, more: About = {}): string {
  const { correlationId, direction, trace } = more;
  count += 1;
  let text = `{"msgId":"${prefix}-${count.toString(36)}","timestamp":${Date.now()},"source":${source},"type":"${type}","version":"${version}"`;
  if (correlationId !== undefined) text += `,"correlationId":"${correlationId}"`;
  if (direction !== undefined) text += `,"direction":"${direction}"`;
  if (trace !== undefined) text += `,"traceparent":"${formatTraceparent(trace)}"`;
  // What JSON has no words for is null.
  return `${text},"payload":${JSON.stringify(payload) ?? 'null'}}`;
}

/**
 * @param text what was published, as `writeEnvelope` wrote it
 * @param channel it was published on
 * @param offset its place there
 * @param previous the place before
 * @returns the message as subscribers get it
 */
export function placed(text: string, channel: string, offset: string, previous: string): string {
  return `{"channel":"${channel}","offset":"${offset}","previous":"${previous}",${text.slice(1)}`;
}
