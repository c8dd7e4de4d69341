import type { Composer } from './composer.ts';
import { union } from './union.ts';

const path = 'internal/platform/app/modules.gen.ts';

/** The `printWidth` in the service's `.oxfmtrc.json`. */
const lineWidth = 120;

/** `internal/platform/app/modules.gen.ts`: the list of the service's modules. TypeScript infers the service's configuration from it. */
export const composeWiring: Composer = ({ modules }) => {
  union('the wired name', modules, (module) => module.wiring);
  const entries = modules.flatMap((module) => Object.entries(module.wiring ?? {}));
  const imports = entries
    .toSorted(([, a], [, b]) => (a < b ? -1 : 1))
    .map(([name, file]) => `import { ${name} } from '${relative(file)}';`);
  const text = [
    '// Written by Slipway from slipway.json: change it with `slipway add` and `slipway remove`.',
    ...imports,
    '',
    exportedList(
      'modules',
      entries.map(([name]) => name),
    ),
    '',
  ].join('\n');
  return [[path, { text, ownership: 'managed' }]];
};

/**
 * Prints a list in the style of the service's formatter: on one line, or with one name per line.
 * @param exported name of the list
 * @param names of its items
 * @returns the statement that exports it
 */
export function exportedList(exported: string, names: readonly string[]): string {
  const line = `export const ${exported} = [${names.join(', ')}] as const;`;
  if (line.length <= lineWidth) return line;
  return [`export const ${exported} = [`, ...names.map((name) => `  ${name},`), '] as const;'].join('\n');
}

/** Returns the relative path from `internal/platform/app/` to a file. The file's path starts at the service's root. */
function relative(file: string): string {
  const [, from = '', rest = file] =
    /^(internal\/platform\/app\/|internal\/platform\/|internal\/)?(.*)$/.exec(file) ?? [];
  return `${upFrom[from] ?? ''}${rest}`;
}

const upFrom: Readonly<Record<string, string>> = {
  'internal/platform/app/': './',
  'internal/platform/': '../',
  'internal/': '../../',
  '': '../../../',
};
