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
    build: 'tsc --project tsconfig.build.json && node scripts/buildInfo.ts',
    prestart: 'node --run build',
    // Without `exec` a shell would stand before the process and keep its signals.
    start: 'exec node dist/cmd/server/main.js',
    test: 'vitest run --project unit --coverage',
    'test:integration': 'vitest run --project integration --passWithNoTests',
    lint: 'oxlint --type-aware --deny-warnings',
    format: 'oxfmt --check',
    'format:write': 'oxfmt',
    typecheck: 'tsc',
    check: 'node --run lint && node --run format && node --run typecheck && node --run licenses && node --run test',
    smoke: 'node --run build && node scripts/smoke.ts',
    openapi: 'node scripts/openapi.ts',
    image: 'node scripts/image.ts',
    licenses: 'node scripts/licenses.ts',
    // Asks the registry: of what runs in production, nothing with a known vulnerability that is high or critical.
    audit: { npm: 'npm audit --omit=dev --audit-level=high', pnpm: 'pnpm audit --prod --audit-level=high' },
    // pnpm 10 has no counterpart.
    sbom: { npm: 'npm sbom --omit=dev --sbom-format=cyclonedx --sbom-type=application' },
    production: 'node scripts/production.ts',
  },
  wiring: {
    identity: 'internal/identity/module.ts',
    metrics: 'internal/metrics/module.ts',
    // Before whatever makes spans: the last of them leave after all others have stopped.
    telemetry: 'internal/telemetry/module.ts',
    // Before the API: probes are answered while other modules still start, and last of all while they stop.
    admin: 'internal/admin/module.ts',
    http: 'internal/http/module.ts',
  },
  ownership: {
    seed: [
      'README.md',
      'cmd/server/main.ts',
      'internal/items/',
      'api/openapi.json',
      'docs/architecture.md',
      'docs/decisions/',
      'deploy/k8s/overlays/',
      'deploy/argocd/source.yaml',
      'scripts/licenses.json',
      'renovate.json',
    ],
  },
  ci: {
    jobs: [
      { id: 'check', summary: 'Lint, format, types, tests', script: 'check' },
      { id: 'integration', summary: 'Tests against real servers', script: 'test:integration' },
      { id: 'build', summary: 'Production build and its smoke test', script: 'smoke' },
      // On every push: what is released has no known hole. Between pushes, Renovate watches.
      { id: 'audit', summary: 'No known vulnerability in production', script: 'audit' },
      { id: 'drift', summary: 'The service is as slipway.json says', script: 'slipway:check' },
    ],
  },
});
