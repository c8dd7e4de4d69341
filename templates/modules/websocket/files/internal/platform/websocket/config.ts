import { type Static, Type } from 'typebox';

const integer = (value: number, description: string, minimum = 1) =>
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
  WEBSOCKET_CONNECTIONS_MAX: integer(20_000, 'Maximum number of connections of one instance; others get 503'),
  WEBSOCKET_MESSAGE_LIMIT_BYTES: integer(65_536, 'Maximum bytes of a message; a larger one closes with 1009', 128),
  WEBSOCKET_MESSAGES_PER_SECOND: integer(
    100,
    'Messages of one client that are read in a second, with bursts of twice as many. Others wait unread',
  ),
  WEBSOCKET_DEADLINE_MS: integer(15_000, 'Milliseconds to handle a message, unless its sender asks for less'),
  WEBSOCKET_HEARTBEAT_MS: integer(
    25_000,
    'Milliseconds between two pings. A client that has not answered before the next one is disconnected. Keep it shorter than the idle timeout of proxies',
    10,
  ),
  WEBSOCKET_DRAIN_MS: integer(5000, 'Milliseconds over which connections are closed, one by one, on shutdown', 0),
});

export type Settings = Static<typeof config>;
