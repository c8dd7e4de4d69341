import { defineModule } from '../../generators/engine/module.ts';

export default defineModule({
  id: 'base',
  summary: 'What every service has',
  category: 'base',
  dependencies: [
    '@fastify/accept-negotiator',
    '@fastify/ajv-compiler',
    '@fastify/cors',
    '@fastify/swagger',
    '@opentelemetry/api',
    '@opentelemetry/core',
    '@opentelemetry/exporter-trace-otlp-proto',
    '@opentelemetry/resources',
    '@opentelemetry/sdk-trace',
    '@opentelemetry/semantic-conventions',
    '@prometheus-io/client',
    'fastify',
    'find-my-way',
    'pino',
    'typebox',
  ],
  devDependencies: [
    '@fastify/swagger-ui',
    '@fastify/type-provider-typebox',
    '@redocly/cli',
    '@types/node',
    '@vitest/coverage-v8',
    'oxfmt',
    'oxlint',
    'oxlint-tsgolint',
    'pino-pretty',
    'typescript',
    'vitest',
  ],
  scripts: {
    dev: 'node --watch --import=./scripts/env.ts cmd/server/main.ts',
    build: 'tsc --project tsconfig.build.json && node scripts/buildInfo.ts && node scripts/buildSteps.ts',
    prestart: 'node --run build',
    // Without `exec` a shell would stand before the process and keep its signals.
    start: 'exec node dist/cmd/server/main.js',
    test: 'vitest run --project unit',
    coverage: 'vitest run --project unit --coverage',
    'test:integration': 'vitest run --project integration --passWithNoTests',
    // The code, and the contract by redocly.yaml.
    lint: 'oxlint --type-aware --deny-warnings && redocly lint api/openapi.json',
    format: 'oxfmt --check',
    'format:write': 'oxfmt',
    // More checkers than this repeat each other's work: a service of this size is checked in less time by one.
    typecheck: 'tsc --checkers 1',
    check: 'node --run lint && node --run format && node --run typecheck && node --run licenses && node --run test',
    smoke: 'node --run build && node scripts/smoke.ts',
    openapi: 'node scripts/openapi.ts',
    contract: 'node scripts/contract.ts',
    // What is packed is what was built: the client, and what else stands in pkg/.
    prepack: 'node --run build',
    image: 'node scripts/image.ts',
    licenses: 'node scripts/licenses.ts',
    // Asks the registry: of what runs in production, nothing with a known vulnerability that is high or critical.
    audit: {
      npm: 'node scripts/audit.ts npm audit --omit=dev --audit-level=high',
      pnpm: 'node scripts/audit.ts pnpm audit --prod --audit-level=high',
    },
    sbom: 'node scripts/sbom.ts',
    production: 'node scripts/production.ts',
  },
  wiring: {
    identity: 'internal/platform/identity/module.ts',
    metrics: 'internal/platform/metrics/module.ts',
    // Before whatever makes spans: the last of them leave after all others have stopped.
    telemetry: 'internal/platform/telemetry/module.ts',
    // Before the API: probes are answered while other modules still start, and last of all while they stop.
    admin: 'internal/platform/admin/module.ts',
    http: 'internal/platform/http/module.ts',
  },
  ownership: {
    seed: [
      'README.md',
      'cmd/server/main.ts',
      'internal/items/',
      'docs/architecture.md',
      'docs/decisions/',
      'deploy/k8s/overlays/',
      'deploy/argocd/source.yaml',
      'scripts/licenses.json',
      'renovate.json',
    ],
  },
  tryIt: {
    trials: [
      {
        shows: 'An item is created',
        shell: `{curl} localhost:8080/items -H 'content-type: application/json' -d '{"name":"anchor","quantity":3}'`,
        prints: '"name":"anchor"',
      },
      { shows: 'And listed', shell: '{curl} localhost:8080/items', prints: '"items":[{' },
      {
        shows: 'What is not valid is refused, and the reply says where',
        shell: `{curl} localhost:8080/items -H 'content-type: application/json' -d '{"name":"anchor","quantity":-1}'`,
        prints: '"pointer":"/quantity"',
      },
    ],
  },
  ci: {
    jobs: [
      { id: 'check', summary: 'Lint, format, types, tests', script: 'check' },
      { id: 'coverage', summary: 'Enough of the code is run by tests', script: 'coverage' },
      { id: 'integration', summary: 'Tests against real servers', script: 'test:integration' },
      { id: 'build', summary: 'Production build and its smoke test', script: 'smoke' },
      {
        id: 'contract',
        summary: 'No change since the last release that breaks callers',
        script: 'contract',
        history: true,
      },
      // On every push: what is released has no known hole. Between pushes, Renovate watches.
      { id: 'audit', summary: 'No known vulnerability in production', script: 'audit' },
      { id: 'drift', summary: 'The service is as slipway.json says', script: 'slipway:check' },
    ],
  },
  renamed: {
    'internal/admin/': 'internal/platform/admin/',
    'internal/app/': 'internal/platform/app/',
    'internal/config/': 'internal/platform/config/',
    'internal/http/': 'internal/platform/http/',
    'internal/identity/': 'internal/platform/identity/',
    'internal/log/': 'internal/platform/log/',
    'internal/metrics/': 'internal/platform/metrics/',
    'internal/telemetry/': 'internal/platform/telemetry/',
  },
});
