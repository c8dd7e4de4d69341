import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'contract',
  summary: 'The API as OpenAPI 3.1: committed, linted; replies and releases are checked against it',
  category: 'api',
  requires: ['openapi'],
  hosts: ['api/openapi.json', 'scripts/contract/'],
  dependencies: ['@fastify/swagger'],
  devDependencies: ['@fastify/swagger-ui', '@redocly/cli'],
  scripts: {
    'lint:contract': 'redocly lint api/openapi.json',
    openapi: 'node scripts/openapi.ts',
    contract: 'node scripts/contract.ts',
  },
  checks: ['lint:contract'],
  tryIt: {
    trials: [
      {
        shows: 'Read the contract of the API; in development `/docs` shows it as a page',
        shell: 'curl -s localhost:8080/openapi.json',
        prints: '"openapi":"3.1.0"',
      },
    ],
  },
  agentRules: [
    'After a change to a route, run `{run} openapi` and commit the result. Routes in the contract use named schemas.',
  ],
  wiring: { contract: 'internal/platform/contract/module.ts' },
  ci: {
    jobs: [
      {
        id: 'contract',
        summary: 'No change since the last release that breaks callers',
        script: 'contract',
        history: true,
      },
    ],
  },
  platformTests: ['test/contract.test.ts'],
  next: {
    added: ['run {run} openapi after each change of a route, and commit api/openapi.json'],
    removed: ['callers get 404 for /openapi.json'],
  },
  renamed: {
    'internal/http/apiDocs.ts': 'internal/platform/contract/module.ts',
    'internal/http/apiDocs.test.ts': 'internal/platform/contract/module.test.ts',
    'scripts/openapi/json.ts': 'scripts/openapi/print.ts',
    'scripts/openapi/document.ts': 'scripts/openapi/print.ts',
    'scripts/openapi/client.ts': 'scripts/openapi/print.ts',
    'scripts/openapi/types.ts': 'scripts/openapi/print.ts',
    'scripts/openapi/text.ts': 'scripts/openapi/print.ts',
    'scripts/openapi/client.test.ts': 'scripts/openapi/print.test.ts',
    'scripts/contract/openapi.ts': 'scripts/contract/openapi.ts',
    'scripts/openapi/sunset.ts': 'scripts/contract/openapi.ts',
    'scripts/openapi/sunset.test.ts': 'scripts/contract/openapi.test.ts',
    'scripts/release/lastRelease.ts': 'scripts/contract.ts',
    'scripts/release/compareWithRelease.ts': 'scripts/contract.ts',
    'scripts/contract.ts': 'scripts/contract.ts',
    'scripts/release/lastRelease.test.ts': 'scripts/contract.test.ts',
    'test/support/contract.ts': 'test/setup/contract.ts',
    'test/support/committedContract.ts': 'test/setup/contract.ts',
    'test/support/contractWatch.ts': 'test/setup/contract.ts',
    'test/support/contractPreload.ts': 'test/setup/contract.ts',
    'test/support/contractSetup.ts': 'test/setup/contract.ts',
  },
});
