import { Type } from 'typebox';

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
        'Origins whose pages may connect, with commas between, or *; when not set only those of the same host',
      examples: ['https://example.com,https://admin.example.com'],
    }),
  ),
  WEBSOCKET_CONNECTIONS_MAX: Type.Integer({
    minimum: 1,
    default: 20_000,
    description: 'Connections of one instance; more are refused with 503',
    examples: [20_000],
  }),
  WEBSOCKET_CONNECTIONS_PER_SUBJECT: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Connections that one authenticated subject may have to one instance; more are refused with 429',
    examples: [100],
  }),
  WEBSOCKET_CONNECTIONS_PER_ADDRESS: Type.Integer({
    minimum: 1,
    default: 2000,
    description:
      'Connections without a token that one address may have to one instance; more are refused with 429. Behind a proxy, that of the proxy, unless HTTP_TRUSTED_PROXIES names it',
    examples: [2000],
  }),
  WEBSOCKET_MESSAGE_LIMIT_BYTES: Type.Integer({
    minimum: 128,
    default: 65_536,
    description: 'Largest message of a client in bytes; a larger one closes its connection with 1009',
    examples: [65_536],
  }),
  WEBSOCKET_MESSAGES_PER_SECOND: Type.Integer({
    minimum: 1,
    default: 100,
    description: 'Messages that one client may send a second, with bursts of twice as many; more close it with 4429',
    examples: [100],
  }),
  WEBSOCKET_IN_FLIGHT_MAX: Type.Integer({
    minimum: 1,
    default: 16,
    description:
      'Messages of one client that are handled side by side; further ones wait unread. 1 keeps a strict order',
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
    description: 'Bytes that may wait for a client that reads slowly',
    examples: [1_048_576],
  }),
  WEBSOCKET_BUFFERS_BYTES_MAX: Type.Integer({
    minimum: 1024,
    default: 67_108_864,
    description:
      'Bytes of answers that may wait for all such clients together; beyond it, the one that has been slow for longest is disconnected',
    examples: [67_108_864],
  }),
  WEBSOCKET_SLOW_READER: Type.Union([Type.Literal('disconnect'), Type.Literal('drop-oldest')], {
    default: 'disconnect',
    description:
      'What happens at that limit: the client is disconnected (and may resume), or loses the oldest of what it was pushed',
    examples: ['disconnect', 'drop-oldest'],
  }),
  WEBSOCKET_HEARTBEAT_MS: Type.Integer({
    minimum: 10,
    default: 25_000,
    description: 'Milliseconds between two pings to a client; shorter than proxies on the way keep an idle connection',
    examples: [25_000],
  }),
  WEBSOCKET_HEARTBEAT_TIMEOUT_MS: Type.Integer({
    minimum: 10,
    default: 60_000,
    description:
      'Milliseconds after which a client is gone that gives no sign of life, or takes none of the messages that wait for it',
    examples: [60_000],
  }),
  WEBSOCKET_SESSION_TTL_MS: Type.Integer({
    minimum: 1,
    default: 120_000,
    description: 'Milliseconds for which the session of a client that is gone can be resumed',
    examples: [120_000],
  }),
  WEBSOCKET_SESSIONS_MAX: Type.Integer({
    minimum: 0,
    default: 20_000,
    description: 'Sessions of clients that are gone, kept by one instance; the oldest go first',
    examples: [20_000],
  }),
  WEBSOCKET_SESSIONS_BYTES_MAX: Type.Integer({
    minimum: 0,
    default: 67_108_864,
    description:
      'Bytes that the sessions of clients that are gone keep together, answers above all; the oldest go first. Those of connected clients may keep as much again; beyond it they forget their older answers, in turn',
    examples: [67_108_864],
  }),
  WEBSOCKET_SESSION_WINDOW: Type.Integer({
    minimum: 1,
    default: 64,
    description: 'Messages of a client that may be unacknowledged, and whose repetition is recognised',
    examples: [64],
  }),
  WEBSOCKET_RETAINED_BYTES: Type.Integer({
    minimum: 0,
    default: 16_777_216,
    description: 'Bytes of published messages that an instance keeps for clients which come back and resume',
    examples: [16_777_216],
  }),
  WEBSOCKET_STREAM_LENGTH: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: 'About how many published messages are kept in Redis, when REDIS_URL is set',
    examples: [10_000],
  }),
  WEBSOCKET_DRAIN_MS: Type.Integer({
    minimum: 0,
    default: 5000,
    description:
      'Milliseconds over which connections are closed on shutdown, so that clients do not come back all at once',
    examples: [5000],
  }),
});
