import { type Static, Type } from 'typebox';

/** Settings of WebSocket; the keys are environment variables. */
export const config = Type.Object({
  WEBSOCKET_ORIGINS: Type.Optional(
    Type.String({
      pattern: String.raw`^(\*|https?://[^/,\s]+(\s*,\s*https?://[^/,\s]+)*)$`,
      description:
        'Origins whose pages may connect, separated by commas, or *. Default: only the origin of the same host',
      examples: ['https://example.com,https://admin.example.com'],
    }),
  ),
  WEBSOCKET_CONNECTIONS_MAX: Type.Integer({
    minimum: 1,
    default: 20_000,
    description: 'Maximum number of connections of one instance. Others are refused with 503',
    examples: [20_000],
  }),
  WEBSOCKET_MESSAGE_LIMIT_BYTES: Type.Integer({
    minimum: 128,
    default: 65_536,
    description: 'Maximum size of a message of a client in bytes. A larger one closes the connection with 1009',
    examples: [65_536],
  }),
  WEBSOCKET_MESSAGES_PER_SECOND: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Messages of one client that are read in a second, with bursts of twice as many. Others wait unread',
    examples: [100],
  }),
  WEBSOCKET_DEADLINE_MS: Type.Integer({
    minimum: 1,
    default: 15_000,
    description: 'Milliseconds in which a message is handled, when its sender does not ask for less',
    examples: [15_000],
  }),
  WEBSOCKET_BUFFER_LIMIT_BYTES: Type.Integer({
    minimum: 1024,
    default: 1_048_576,
    description:
      'Bytes that may wait for one client. A client that reads more slowly is disconnected. Half of it is the maximum that is sent again after a reconnect',
    examples: [1_048_576],
  }),
  WEBSOCKET_HEARTBEAT_MS: Type.Integer({
    minimum: 10,
    default: 25_000,
    description:
      'Milliseconds between two pings. A client that has not answered before the next one is disconnected. Keep it shorter than the idle timeout of proxies',
    examples: [25_000],
  }),
  WEBSOCKET_RETAINED_BYTES: Type.Integer({
    minimum: 0,
    default: 16_777_216,
    description: 'Bytes of published messages that an instance keeps for clients that come back',
    examples: [16_777_216],
  }),
  WEBSOCKET_DRAIN_MS: Type.Integer({
    minimum: 0,
    default: 5000,
    description:
      'Milliseconds over which connections are closed on shutdown, so that not all clients reconnect at once',
    examples: [5000],
  }),
});

export type Settings = Static<typeof config>;
