import colors from 'picocolors';
import type { PlopGeneratorConfig } from 'node-plop';
import { loadCatalogue } from './catalogue.ts';
import { offeredModules } from './engine/catalogue.ts';
import { exitCodes } from './engine/errors.ts';
import type { Invocation } from './invocation.ts';
import { reading } from './reading.ts';
import { alignedTable } from './report/table.ts';
import { installedModules } from './present.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway list`: modules and presets
 */
export function list(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return reading('modules and presets', () => {
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
    return {
      exitCode: exitCodes.done,
      json: { catalogue: version, modules: moduleRows, presets: presetRows },
      text: [
        colors.bold('Modules'),
        alignedTable(moduleRows.map((row) => [row.installed ? '✓' : ' ', row.id, row.category, row.summary])),
        '',
        colors.bold('Presets'),
        alignedTable(presetRows.map((row) => [' ', row.name, row.modules.join(', ') || 'the base alone', row.summary])),
      ].join('\n'),
    };
  });
}
