import { Type } from 'typebox';

/** Settings of the connection to Redis; the keys are environment variables. */
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
  REDIS_COMMAND_TIMEOUT_MS: Type.Integer({
    default: 1000,
    minimum: 1,
    description: 'A connection that answers nothing for so many milliseconds is given up: its commands fail',
    examples: [1000],
  }),
});
