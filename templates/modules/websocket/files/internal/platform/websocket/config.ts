import { type Static, Type } from 'typebox';

const integer = (value: number, minimum: number, description: string) =>
  Type.Integer({ minimum, default: value, description, examples: [value] });

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
  WEBSOCKET_CONNECTIONS_MAX: integer(
    20_000,
    1,
    'Maximum number of connections of one instance. Others are refused with 503',
  ),
  WEBSOCKET_MESSAGE_LIMIT_BYTES: integer(
    65_536,
    128,
    'Maximum size of a message of a client in bytes. A larger one closes the connection with 1009',
  ),
  WEBSOCKET_MESSAGES_PER_SECOND: integer(
    100,
    1,
    'Messages of one client that are read in a second, with bursts of twice as many. Others wait unread',
  ),
  WEBSOCKET_DEADLINE_MS: integer(
    15_000,
    1,
    'Milliseconds in which a message is handled, when its sender does not ask for less',
  ),
  WEBSOCKET_HEARTBEAT_MS: integer(
    25_000,
    10,
    'Milliseconds between two pings. A client that has not answered before the next one is disconnected. Keep it shorter than the idle timeout of proxies',
  ),
  WEBSOCKET_DRAIN_MS: integer(
    5000,
    0,
    'Milliseconds over which connections are closed on shutdown, so that not all clients reconnect at once',
  ),
});

export type Settings = Static<typeof config>;
