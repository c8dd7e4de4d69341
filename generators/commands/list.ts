import { defineCommand } from '../command.ts';
import colors from '../report/colors.ts';
import { loadCatalogue } from '../catalogue.ts';
import { offeredModules } from '../engine/resolve.ts';
import { exitCodes } from '../engine/errors.ts';
import { alignedTable } from '../report/table.ts';
import { installedModules, presentResources } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'list all modules and presets, and the resources of a service',
  flags: {},
  read: (invocation) => {
    const catalogue = loadCatalogue(invocation.flags.catalogue, invocation.cwd);
    const { version, presets } = catalogue;
    const installed = installedModules(invocation);
    const moduleRows = offeredModules(catalogue).map(({ id, category, summary }) => ({
      id,
      category,
      summary,
      installed: installed.has(id),
    }));
    const presetRows = Object.entries(presets).map(([name, preset]) => ({ name, ...preset }));
    const resources = presentResources(invocation);
    const resourceRows = Object.entries(resources).map(([name, { plural, fields }]) => ({ name, plural, fields }));
    const resourceLines = resourceRows.map((row) => [' ', row.name, row.plural, Object.keys(row.fields).join(', ')]);
    return {
      exitCode: exitCodes.done,
      json: { catalogue: version, modules: moduleRows, presets: presetRows, resources: resourceRows },
      text: [
        ...(resourceRows.length === 0 ? [] : [colors.bold('Resources'), alignedTable(resourceLines), '']),
        colors.bold('Modules'),
        alignedTable(moduleRows.map((row) => [row.installed ? '✓' : ' ', row.id, row.category, row.summary])),
        '',
        colors.bold('Presets'),
        alignedTable(
          presetRows.map(({ name, modules, resources: declared = {}, summary }) => {
            const all = [...modules, ...Object.keys(declared).map((resource) => `resource ${resource}`)];
            return [' ', name, all.join(', ') || 'the base alone', summary];
          }),
        ),
        '',
        colors.bold('Next:'),
        '  slipway info <module>, slipway add <module>, create-slipway <dir> --preset <name>',
      ].join('\n'),
    };
  },
});
