import { Type } from 'typebox';

/** Settings of the connection to Redis; the keys are environment variables, times are milliseconds. */
export const config = Type.Object({
  REDIS_URL: Type.String({
    default: '',
    pattern: '^(rediss?://.+)?$',
    secret: true,
    description: 'Redis server, rediss:// with TLS; when empty there is none, and its users keep to memory',
    examples: ['redis://user:password@localhost:6379/0'],
  }),
  REDIS_PREFIX: Type.String({
    default: '',
    pattern: '^[A-Za-z0-9_.:-]*$',
    description: 'What every key begins with, so that services can share a server; when empty the name of the service',
    examples: ['orders-staging:'],
  }),
  REDIS_CONNECT_TIMEOUT_MS: Type.Integer({
    default: 3000,
    minimum: 1,
    description: 'Longest wait for a connection',
    examples: [3000],
  }),
  REDIS_COMMAND_TIMEOUT_MS: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'A command without an answer for so long fails, and a new connection is made',
    examples: [1000],
  }),
  REDIS_RECONNECT_MAX_MS: Type.Integer({
    default: 2000,
    minimum: 1,
    description: 'Longest pause between two tries to connect; shorter at first, and each a random part of it',
    examples: [2000],
  }),
  REDIS_PING_INTERVAL_MS: Type.Integer({
    default: 5000,
    minimum: 100,
    description: 'Time between two pings, by which a connection that broke silently is noticed',
    examples: [5000],
  }),
  REDIS_PENDING_MAX: Type.Integer({
    default: 10_000,
    minimum: 1,
    description: 'Commands that may wait for their answers; one more fails at once',
    examples: [10_000],
  }),
});
