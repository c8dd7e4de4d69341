import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'versioning',
  summary: 'Versions of the API side by side, by path, media type or query; deprecation and sunset',
  category: 'api',
  requires: ['contract', 'openapi'],
  dependencies: ['negotiator'],
  devDependencies: ['@types/negotiator'],
  tryIt: {
    example: {
      name: 'parts',
      file: 'internal/parts/module.ts',
      trials: [
        {
          shows: 'Create a part with version 1, where a place is one text',
          shell: [
            `PART=$({curl} -o /dev/null -w '%header{location}' localhost:8080/v1/parts \\`,
            `  -H 'content-type: application/json' -d '{"name":"anchor","place":"A-12-3"}')`,
            '{curl} localhost:8080$PART',
          ].join('\n'),
          prints: '"place":"A-12-3"',
        },
        {
          shows: 'Get the same part with [version 2](versioning.md)',
          shell: '{curl} localhost:8080/v2${PART#/v1}',
          prints: '"place":{"aisle":"A","shelf":12,"bin":3}',
        },
        {
          shows: 'See who uses which version',
          shell: 'curl -s localhost:9090/metrics | grep ^versioning_requests_total',
          prints: 'version="2"',
        },
      ],
    },
  },
  wiring: { versioning: 'internal/platform/versioning/module.ts' },
  ownership: { seed: ['internal/platform/versioning/versions.ts', 'internal/parts/'] },
  next: {
    added: [
      'choose how callers name a version in internal/platform/versioning/versions.ts, before the first of them uses it',
      'to serve the example, list parts in cmd/server/main.ts',
    ],
    removed: ['callers get 404 for paths with a version; a version in a media type or a query has no effect'],
  },
  renamed: {
    'internal/versioning/strategy.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/strategies.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/inPath.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/inQuery.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/mediaTypes.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/inMediaType.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/byConstraint.ts': 'internal/platform/versioning/strategies.ts',
    'internal/versioning/operation.ts': 'internal/platform/versioning/routes.ts',
    'internal/versioning/routes.ts': 'internal/platform/versioning/routes.ts',
    'internal/versioning/serving.ts': 'internal/platform/versioning/routes.ts',
    'internal/versioning/headers.ts': 'internal/platform/versioning/routes.ts',
    'internal/versioning/announcement.ts': 'internal/platform/versioning/routes.ts',
    'internal/versioning/refusal.ts': 'internal/platform/versioning/routes.ts',
    'internal/versioning/openapi.ts': 'internal/platform/versioning/openapi.ts',
    'internal/versioning/schemaUse.ts': 'internal/platform/versioning/openapi.ts',
    'internal/versioning/joined.ts': 'internal/platform/versioning/openapi.ts',
    'internal/versioning/metrics.ts': 'internal/platform/versioning/metrics.ts',
    'internal/versioning/consumers.ts': 'internal/platform/versioning/metrics.ts',
    'internal/versioning/': 'internal/platform/versioning/',
    'docs/runbooks/versioning-retire.md': 'docs/runbooks/versioning.md',
    'docs/runbooks/versioning-refusals.md': 'docs/runbooks/versioning.md',
    'internal/versioning/apiVersions.ts': 'internal/platform/versioning/apiVersions.ts',
    'internal/versioning/representation.ts': 'internal/platform/versioning/apiVersions.ts',
  },
});
