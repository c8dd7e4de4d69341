import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'hal',
  summary: 'Links between resources (HAL), typed by the contract: pages and possible actions',
  category: 'api',
  requires: ['client', 'entities', 'identity'],
  dependencies: ['negotiator'],
  devDependencies: ['@types/negotiator'],
  tryIt: {
    trials: [
      {
        shows: 'Get a page of {plural} with links',
        shell: "{curl} 'localhost:8080{path}?limit=1' -H 'accept: application/hal+json'",
        prints: '"api:create":{"href":".{path}"}',
      },
    ],
  },
  wiring: { hal: 'internal/platform/hal/module.ts' },
  ownership: { seed: ['internal/platform/hal/links.ts'] },
  next: {
    added: [
      'callers that accept application/hal+json get links; the JSON of other callers stays the same',
      'the routes of resources have links; declare those of your own routes in internal/platform/hal/links.ts',
    ],
    removed: ['callers that accept application/hal+json get plain JSON without links'],
  },
  renamed: {
    'internal/hal/': 'internal/platform/hal/',
    'internal/hal/declaration.ts': 'internal/platform/hal/linksOf.ts',
    'internal/hal/linksOf.ts': 'internal/platform/hal/linksOf.ts',
    'internal/hal/registered.ts': 'internal/platform/hal/linksOf.ts',
    'internal/platform/hal/representation.ts': 'internal/platform/hal/speakHal.ts',
    'internal/hal/representation.ts': 'internal/platform/hal/speakHal.ts',
    'internal/hal/operations.ts': 'internal/platform/hal/operations.ts',
    'internal/hal/path.ts': 'internal/platform/hal/operations.ts',
    'internal/hal/schema.ts': 'internal/platform/hal/schema.ts',
    'internal/hal/responses.ts': 'internal/platform/hal/schema.ts',
    'internal/hal/metrics.ts': 'internal/platform/hal/speakHal.ts',
    'internal/hal/relationRoutes.ts': 'internal/platform/hal/speakHal.ts',
    'internal/hal/speakHal.ts': 'internal/platform/hal/speakHal.ts',
    'internal/hal/mediaType.ts': 'internal/platform/hal/speakHal.ts',
    'internal/hal/speakHal.test.ts': 'internal/platform/hal/speakHal.test.ts',
    'internal/hal/mediaType.test.ts': 'internal/platform/hal/speakHal.test.ts',
  },
});
