import { defineCommand } from '../command.ts';
import colors from '../report/colors.ts';
import { loadCatalogue } from '../catalogue.ts';
import type { CatalogueModule, TemplateFile } from '../engine/model.ts';
import { findModule } from '../engine/resolve.ts';
import { badInput, exitCodes } from '../engine/errors.ts';
import { alignedTable } from '../report/table.ts';

export const command = defineCommand({
  usage: '<module>',
  summary: 'show what a module contains',
  flags: {},
  read: (invocation) => {
    const [id] = invocation.args;
    if (id === undefined) throw badInput('slipway info needs a module', 'slipway list shows what there is');
    const module = findModule(id, loadCatalogue(invocation.flags.catalogue, invocation.cwd));
    const files = module.files
      .filter(({ platformTest }) => !platformTest)
      .map(({ path, ownership }) => ({ path, ownership }));
    return { exitCode: exitCodes.done, json: { ...module, files }, text: page(module, files) };
  },
});

function page(module: CatalogueModule, files: readonly Pick<TemplateFile, 'path' | 'ownership'>[]): string {
  const { id, category, summary, options = {}, config, next = {} } = module;
  const facts = [
    ['requires', module.requires],
    ['hosts', module.hosts],
    ['conflicts with', module.conflicts],
    ['depends on', [...(module.dependencies ?? []), ...(module.devDependencies ?? [])]],
    ['npm scripts', Object.keys(module.scripts ?? {})],
  ] as const;
  const sections = [
    [
      'Options',
      Object.entries(options).map(([name, option]) => [
        `${id}.${name}`,
        `default ${String(option.default)}`,
        option.summary,
      ]),
    ],
    ['Configuration', config.map((variable) => [variable.name, variable.expects, variable.description])],
    ['Files', files.map(({ path, ownership }) => [path, ownership])],
    [`After slipway add ${id}`, (next.added ?? []).map((line) => [line.replaceAll('{run}', 'npm run')])],
    [`After slipway remove ${id}`, (next.removed ?? []).map((line) => [line.replaceAll('{run}', 'npm run')])],
  ] as const;
  return [
    `${colors.bold(id)} (${category}): ${summary}`,
    ...facts.flatMap(([what, names]) =>
      names === undefined || names.length === 0 ? [] : [`  ${what}: ${names.join(', ')}`],
    ),
    ...sections.flatMap(([title, rows]) => (rows.length === 0 ? [] : ['', colors.bold(title), alignedTable(rows)])),
  ].join('\n');
}
