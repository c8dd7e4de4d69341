import { type Static, Type } from 'typebox';

/** Settings of WebSocket; the keys are environment variables. */
export const config = Type.Object({
  WEBSOCKET_PATH: Type.String({
    default: '/ws',
    pattern: '^/[^?#]*$',
    description: 'Path of the API at which connections are upgraded',
    examples: ['/ws'],
  }),
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
  WEBSOCKET_CONNECTIONS_PER_SUBJECT: Type.Integer({
    minimum: 1,
    default: 100,
    description:
      'Maximum number of connections of one authenticated subject to one instance. Others are refused with 429',
    examples: [100],
  }),
  WEBSOCKET_CONNECTIONS_PER_ADDRESS: Type.Integer({
    minimum: 1,
    default: 2000,
    description:
      'Maximum number of connections without a token of one address to one instance. Others are refused with 429. Behind a proxy the address is that of the proxy, unless HTTP_TRUSTED_PROXIES names it',
    examples: [2000],
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
    description:
      'Messages that one client may send in a second, with bursts of twice as many. More close the connection with 4429',
    examples: [100],
  }),
  WEBSOCKET_IN_FLIGHT_MAX: Type.Integer({
    minimum: 1,
    default: 16,
    description: 'Messages of one client that are handled at the same time. Others wait unread. 1 keeps a strict order',
    examples: [16],
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
  WEBSOCKET_BUFFERS_BYTES_MAX: Type.Integer({
    minimum: 1024,
    default: 67_108_864,
    description:
      'Bytes of answers that may wait for all clients together. Beyond it, the clients that have been slow for the longest time are disconnected',
    examples: [67_108_864],
  }),
  WEBSOCKET_HEARTBEAT_MS: Type.Integer({
    minimum: 10,
    default: 25_000,
    description: 'Milliseconds between two pings. Keep it shorter than the idle timeout of proxies',
    examples: [25_000],
  }),
  WEBSOCKET_HEARTBEAT_TIMEOUT_MS: Type.Integer({
    minimum: 10,
    default: 60_000,
    description:
      'Milliseconds in which a client has to answer a ping. The answer comes after the client has read what was sent before the ping',
    examples: [60_000],
  }),
  WEBSOCKET_SESSION_TTL_MS: Type.Integer({
    minimum: 1,
    default: 120_000,
    description:
      'Milliseconds for which a session can be resumed after its client has disconnected, and for which answers are kept',
    examples: [120_000],
  }),
  WEBSOCKET_SESSIONS_BYTES_MAX: Type.Integer({
    minimum: 0,
    default: 67_108_864,
    description:
      'Bytes of answers that are kept, in case a client sends a message again; the oldest are forgotten first',
    examples: [67_108_864],
  }),
  WEBSOCKET_RETAINED_BYTES: Type.Integer({
    minimum: 0,
    default: 16_777_216,
    description: 'Bytes of published messages that an instance keeps for clients that come back',
    examples: [16_777_216],
  }),
  WEBSOCKET_STREAM_LENGTH: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: 'Approximate number of published messages that Redis keeps, when REDIS_URL is set',
    examples: [10_000],
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
