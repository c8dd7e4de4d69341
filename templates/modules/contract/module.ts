import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'contract',
  summary: 'The API as OpenAPI 3.1: committed, linted, held against replies; no breaking change',
  category: 'api',
  requires: ['openapi'],
  hosts: ['api/openapi.json', 'scripts/contract/'],
  dependencies: ['@fastify/swagger'],
  devDependencies: ['@fastify/swagger-ui', '@redocly/cli'],
  scripts: {
    // By redocly.yaml.
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
  renamed: {
    'internal/http/apiDocs.ts': 'internal/platform/contract/apiDocs.ts',
    'internal/http/apiDocs.test.ts': 'internal/platform/contract/apiDocs.test.ts',
    'test/support/contractSetup.ts': 'test/setup/contract.ts',
  },
});
