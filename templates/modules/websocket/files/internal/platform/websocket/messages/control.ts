import { type Static, Type } from 'typebox';
import { closeCodes, control, controlVersion, mostChannels } from '../../../../pkg/client/websocket/envelope.ts';
import { type MessageDefinition, defineMessage, defineRequest } from './definitions.ts';
import { ChannelName, Id, Offset } from './envelope.ts';

const strict = { additionalProperties: false } as const;

const PositionSchema = Type.Object({ offset: Offset, lost: Type.Boolean(), more: Type.Boolean() }, strict);
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
export const open = defineRequest({
  type: control.open,
  version: controlVersion,
  summary: 'First message of a client: the session to resume, and the offset to go on from in each channel',
  payload: Type.Object(
    {
      sessionId: Type.Optional(Id),
      channels: Type.Optional(
        Type.Record(ChannelName, Type.Union([Offset, Type.Null()]), { maxProperties: mostChannels }),
      ),
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
      channels: Type.Record(Type.String(), Type.Union([PositionSchema, ErrorSchema])),
    },
    strict,
  ),
});
export type OpenRequest = Static<typeof open.payload>;

export const subscribe = defineRequest({
  type: control.subscribe,
  version: controlVersion,
  summary: 'Asks for what is published on a channel, from an offset on if one is given',
  payload: Type.Object({ channel: ChannelName, after: Type.Optional(Offset) }, strict),
  response: PositionSchema,
});

export const unsubscribe = defineRequest({
  type: control.unsubscribe,
  version: controlVersion,
  summary: 'Asks for no more of a channel',
  payload: Type.Object({ channel: ChannelName }, strict),
  response: Type.Object({}, strict),
});

export const ping = defineRequest({
  type: control.ping,
  version: controlVersion,
  summary: 'Asks whether the other side is there, where ping frames cannot be sent',
  payload: Type.Object({}, strict),
  response: Type.Object({}, strict),
});

export const joined = defineMessage({
  type: control.joined,
  version: controlVersion,
  summary: 'The server has put the client on a channel',
  payload: Type.Object({ channel: ChannelName, position: PositionSchema }, strict),
});

export const ack = defineMessage({
  type: control.ack,
  version: controlVersion,
  summary: 'Messages that the server has handled',
  payload: Type.Object({ msgIds: Type.Array(Id) }, strict),
});

export const failure = defineMessage({
  type: control.error,
  version: controlVersion,
  summary: `A message was not handled; without correlationId: why the connection ends (close codes ${Object.values(closeCodes).join(', ')})`,
  payload: ErrorSchema,
});

export const controlMessages: readonly MessageDefinition[] = [open, subscribe, unsubscribe, ping, joined, ack, failure];
