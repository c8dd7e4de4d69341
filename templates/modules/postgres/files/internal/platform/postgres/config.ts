import { Type } from 'typebox';

/** Settings of the database; the keys are environment variables, times are milliseconds. */
export const config = Type.Object({
  DATABASE_URL: Type.String({
    default: '',
    pattern: '^(postgres(ql)?://.+)?$',
    secret: true,
    description: 'PostgreSQL server; when empty the service runs an embedded database',
    examples: ['postgres://user:password@localhost:5432/database'],
  }),
  PGLITE_DIR: Type.String({
    default: '',
    description: 'Data directory of the embedded database; when empty its data is in memory',
    examples: ['.data/postgres'],
  }),
  POSTGRES_POOL_MAX: Type.Integer({
    default: 10,
    minimum: 1,
    description:
      'Max connections of one process; the sum over all processes must stay below max_connections of the server',
    examples: [10, 20],
  }),
  POSTGRES_CONNECT_TIMEOUT_MS: Type.Integer({
    default: 3000,
    minimum: 1,
    description: 'Longest wait for a connection, either a new one or one of the pool',
    examples: [3000],
  }),
  POSTGRES_STATEMENT_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 0,
    description: 'The server cancels a statement that takes longer; 0 is never',
    examples: [10_000],
  }),
  POSTGRES_HEALTH_INTERVAL_MS: Type.Integer({
    default: 5000,
    minimum: 100,
    description: 'Time between two checks that the database answers',
    examples: [5000],
  }),
});
