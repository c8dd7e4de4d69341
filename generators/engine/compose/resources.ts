import type { Composer } from './composer.ts';
import { exportedList } from './wiring.ts';

/** The lists of what each resource exports, such as `internal/resources.gen.ts`, which `cmd/server/main.ts` starts after the modules. */
export const composeResources: Composer = ({ modules }) => {
  const lists = new Map(
    modules.flatMap(({ resource }) =>
      Object.entries(resource?.lists ?? {}).map(([file, { list }]) => [file, list] as const),
    ),
  );
  return [...lists].map(([path, list]) => {
    const listed = modules
      .flatMap((module) => module.listed ?? [])
      .filter(({ file }) => file === path)
      .sort((a, b) => (a.from < b.from ? -1 : 1));
    const text = [
      '// Written by Slipway from slipway.json: change it with `slipway resource`.',
      ...listed.map(({ name, from }) => `import { ${name} } from '${from}';`),
      '',
      exportedList(
        list,
        listed.map(({ name }) => name),
      ),
      '',
    ].join('\n');
    return [path, { text, ownership: 'managed' }];
  });
};
