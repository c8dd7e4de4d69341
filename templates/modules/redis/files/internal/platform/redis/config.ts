import { Type } from 'typebox';

/** Settings of the connection to Redis; the keys are environment variables, times are milliseconds. */
export const config = Type.Object({
  REDIS_URL: Type.String({
    default: '',
    pattern: '^(rediss?://.+)?$',
    secret: true,
    description: 'Redis server, rediss:// with TLS. When empty, modules that use Redis keep their data in memory',
    examples: ['redis://user:password@localhost:6379/0'],
  }),
  REDIS_PREFIX: Type.String({
    default: '',
    pattern: '^[A-Za-z0-9_.:-]*$',
    description: 'Prefix of every key, so that services can share a server. When empty: the name of the service',
    examples: ['orders-staging:'],
  }),
  REDIS_CONNECT_TIMEOUT_MS: Type.Integer({
    default: 3000,
    minimum: 1,
    description: 'Maximum time to connect',
    examples: [3000],
  }),
  REDIS_COMMAND_TIMEOUT_MS: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'Maximum time of a command. A command that takes longer fails, and a new connection is made',
    examples: [1000],
  }),
  REDIS_RECONNECT_MAX_MS: Type.Integer({
    default: 2000,
    minimum: 1,
    description: 'Maximum pause between two attempts to connect. Pauses are shorter at first, and random',
    examples: [2000],
  }),
  REDIS_PING_INTERVAL_MS: Type.Integer({
    default: 5000,
    minimum: 100,
    description: 'Time between two pings, which find a connection that broke silently',
    examples: [5000],
  }),
  REDIS_PENDING_MAX: Type.Integer({
    default: 10_000,
    minimum: 1,
    description: 'Maximum number of commands that wait for an answer. Others fail at once',
    examples: [10_000],
  }),
});
