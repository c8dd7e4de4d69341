import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'client',
  summary: 'A typed client of the API, printed from the contract, as a package of its own',
  category: 'api',
  requires: ['contract'],
  hosts: [
    'pkg/client/contract.gen.ts',
    'scripts/openapi/client.ts',
    'scripts/openapi/client.test.ts',
    'scripts/openapi/text.ts',
    'scripts/openapi/types.ts',
  ],
  scripts: {
    postopenapi: 'node scripts/client.ts',
    // What is packed, or published, is what was built by it.
    'build:client': 'tsc --project tsconfig.client.json',
  },
  ownership: { seed: ['internal/items/client.test.ts'] },
});
