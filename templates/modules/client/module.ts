import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'client',
  summary: 'A typed client of the API, printed from the contract, as a package of its own',
  category: 'api',
  requires: ['contract'],
  hosts: ['pkg/client/contract.gen.ts'],
  dependencies: ['openapi-fetch'],
  scripts: {
    // Builds what `npm pack` and `npm publish` take.
    'build:client': 'tsc --project tsconfig.client.json',
  },
  ownership: { seed: ['internal/items/client.test.ts'] },
});
