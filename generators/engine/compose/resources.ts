import { namesOf } from '../resources/names.ts';
import type { Composer } from './composer.ts';
import { exportedList } from './wiring.ts';

const path = 'internal/resources.gen.ts';

/** `internal/resources.gen.ts`: the list of the service's resources. `cmd/server/main.ts` starts them after the modules. */
export const composeResources: Composer = ({ manifest: { resources = {} }, catalogue }) => {
  if (catalogue.base.resource === undefined) return [];
  const plurals = Object.values(resources)
    .map(({ plural }) => namesOf(plural))
    .sort((a, b) => (a.kebab < b.kebab ? -1 : 1));
  const text = [
    '// Written by Slipway from slipway.json: change it with `slipway resource`.',
    ...plurals.map(({ kebab, camel }) => `import { ${camel} } from './${kebab}/module.ts';`),
    '',
    exportedList(
      'resources',
      plurals.map(({ camel }) => camel),
    ),
    '',
  ].join('\n');
  return [[path, { text, ownership: 'managed' }]];
};
