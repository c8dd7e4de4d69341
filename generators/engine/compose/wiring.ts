import type { Composer } from './composer.ts';
import { union } from './union.ts';

const path = 'internal/platform/app/modules.gen.ts';

/** `printWidth` in `.oxfmtrc.json` of the service. */
const lineWidth = 120;

/** `internal/platform/app/modules.gen.ts`: the list of the service's modules, from which its configuration is inferred. */
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
    list(entries.map(([name]) => name)),
    '',
  ].join('\n');
  return [[path, { text, ownership: 'managed' }]];
};

/** As the service's formatter prints it: in one line, or each name in its own. */
function list(names: readonly string[]): string {
  const line = `export const modules = [${names.join(', ')}] as const;`;
  if (line.length <= lineWidth) return line;
  return ['export const modules = [', ...names.map((name) => `  ${name},`), '] as const;'].join('\n');
}

/** From `internal/platform/app/` to a file given from the service's root. */
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
