import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'postgres',
  summary: 'PostgreSQL through Kysely, embedded (PGlite) until DATABASE_URL is set, with migrations',
  category: 'data',
  options: {
    version: {
      type: 'string',
      summary: 'Major version of the server in Compose and CI',
      default: '18',
      enum: ['18', '17', '16'],
    },
  },
  dependencies: ['@electric-sql/pglite', 'kysely', 'pg'],
  devDependencies: ['@types/pg'],
  scripts: {
    migrate: 'node dist/cmd/migrate/main.js',
    'migrate:dev': 'node --env-file-if-exists=.env cmd/migrate/main.ts',
  },
  tryIt: {
    trials: [
      {
        shows: 'Check the embedded database; `DATABASE_URL` selects another one',
        shell: 'curl -s localhost:9090/readyz',
        prints: '"postgres":"ok"',
      },
    ],
  },
  platformTests: ['internal/platform/postgres/testService.ts'],
  wiring: { postgres: 'internal/platform/postgres/module.ts' },
  ownership: {
    managed: ['internal/migrations/20261130_idempotency.ts'],
  },
  ci: {
    additions: {
      integration: {
        services: {
          postgres: {
            image: 'postgres:{option.version}-alpine',
            port: 5432,
            env: { POSTGRES_PASSWORD: 'postgres' },
            healthCommand: 'pg_isready --username postgres',
          },
        },
        env: { DATABASE_URL: 'postgres://postgres:postgres@{postgres.host}:5432/postgres' },
      },
    },
  },
  agentRules: [
    'To change the database schema, add a file in `internal/migrations/`. Never edit a released migration.',
    'Write queries with Kysely in the repository of a slice. For a transaction use `transaction(...)` of the postgres module.',
  ],
  next: {
    added: [
      'production needs DATABASE_URL; until it is set, development uses an embedded database',
      'resources move to tables of it, with a migration each; write your other tables as migrations in internal/migrations',
      'before a new version serves: {run} build, then {run} migrate; in Kubernetes a Job does it',
    ],
    removed: [
      'the tables and their data stay in the database',
      'a cluster without Argo CD keeps the migration Job and what the component made: kubectl delete them',
    ],
  },
  renamed: {
    'internal/postgres/migrations/': 'internal/migrations/',
    'internal/platform/postgres/idempotency.ts': 'internal/platform/resource/postgresIdempotency.ts',
    'internal/postgres/idempotency.ts': 'internal/platform/resource/postgresIdempotency.ts',
    'internal/postgres/module.ts': 'internal/platform/postgres/module.ts',
    'internal/postgres/health.ts': 'internal/platform/postgres/module.ts',
    'internal/postgres/database.ts': 'internal/platform/postgres/database.ts',
    'internal/postgres/transaction.ts': 'internal/platform/postgres/database.ts',
    'internal/postgres/types.ts': 'internal/platform/postgres/database.ts',
    'internal/postgres/pool.ts': 'internal/platform/postgres/pool.ts',
    'internal/postgres/checkout.ts': 'internal/platform/postgres/pool.ts',
    'internal/postgres/cancellation.ts': 'internal/platform/postgres/pool.ts',
    'internal/postgres/embedded.ts': 'internal/platform/postgres/embedded.ts',
    'internal/postgres/cluster.ts': 'internal/platform/postgres/embedded.ts',
    'internal/postgres/migrator.ts': 'internal/platform/postgres/migrate.ts',
    'internal/postgres/command.ts': 'internal/platform/postgres/migrate.ts',
    'internal/postgres/command.test.ts': 'internal/platform/postgres/migrate.test.ts',
    'internal/postgres/': 'internal/platform/postgres/',
    'docs/runbooks/postgres-down.md': 'docs/runbooks/postgres.md',
    'docs/runbooks/postgres-pool-exhausted.md': 'docs/runbooks/postgres.md',
    'docs/runbooks/postgres-transaction-retries.md': 'docs/runbooks/postgres.md',
    'docs/runbooks/postgres-migrations-pending.md': 'docs/runbooks/postgres.md',
  },
});
