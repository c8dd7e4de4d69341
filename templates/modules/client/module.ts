import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'client',
  summary: 'A typed client of the API, printed from the contract, as a package of its own',
  category: 'api',
  requires: ['contract'],
  hosts: ['pkg/client/contract.gen.ts'],
  dependencies: ['openapi-fetch'],
  scripts: {
    // Builds the files of `npm pack` and `npm publish`.
    'build:client': 'tsc --project tsconfig.client.json',
  },
  next: {
    added: ['{run} build:client compiles pkg/client, a package of its own'],
    removed: ['programs that import pkg/client need another client'],
  },
  renamed: {
    'pkg/client/call.ts': 'pkg/client/client.ts',
    'pkg/client/retry.ts': 'pkg/client/client.ts',
    'pkg/client/operation.ts': 'pkg/client/client.ts',
    'pkg/client/client.ts': 'pkg/client/client.ts',
    'pkg/client/request.ts': 'pkg/client/client.ts',
    'pkg/client/mediaType.ts': 'pkg/client/client.ts',
    'pkg/client/problem.ts': 'pkg/client/client.ts',
    'pkg/client/reply.ts': 'pkg/client/client.ts',
    'pkg/client/client.test.ts': 'pkg/client/client.test.ts',
    'pkg/client/retry.test.ts': 'pkg/client/client.test.ts',
  },
});
