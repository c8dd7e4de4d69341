import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'hal',
  summary: 'Links between resources (HAL), typed by the contract: pages and possible actions',
  category: 'api',
  requires: ['client', 'identity'],
  dependencies: ['negotiator'],
  devDependencies: ['@types/negotiator'],
  tryIt: {
    trials: [
      {
        shows: 'Get a page of items with links',
        shell: `{curl} 'localhost:8080/items?limit=1' -H 'accept: application/hal+json'`,
        prints: '"self":{"href":"./items?limit=1"}',
      },
      {
        shows: 'Read what a link relation means',
        shell: '{curl} localhost:8080/relations/create',
        prints: '"method":"POST"',
      },
    ],
  },
  wiring: { hal: 'internal/platform/hal/module.ts' },
  ownership: { seed: ['internal/platform/hal/links.ts', 'internal/platform/hal/links.test.ts'] },
  renamed: {
    'internal/hal/': 'internal/platform/hal/',
    'docs/runbooks/hal-links-unaddressable.md': 'docs/runbooks/hal.md',
  },
});
