import { offeredModules } from '../../generators/engine/resolve.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceOfPreset, type Weight, weightOf } from '../helpers/weight.ts';
import type { Measurement } from './measurement.ts';
import { table } from './table.ts';

/** How much an owner has to read. */
export const weight: Measurement = {
  title: 'Weight of a fresh service: files and TypeScript, without lockfile bases and printed code',
  async measure() {
    const catalogue = await buildCatalogue();
    const presets = Object.entries(catalogue.presets).map(([name, preset]) =>
      row(name, weightOf(serviceOfPreset(preset, catalogue))),
    );
    // What a module adds to the default service, with what it requires.
    const { modules: usual = [], resources } = catalogue.presets['default'] ?? {};
    const modules = offeredModules(catalogue).map(({ id }) => {
      const [other, own] = usual.includes(id)
        ? [usual.filter((each) => each !== id && !catalogue.modules[each]?.requires?.includes(id)), usual]
        : [usual, [...usual, id]];
      const [before, after] = [other, own].map((ids) =>
        weightOf(serviceOfPreset({ modules: ids, ...(resources && { resources }) }, catalogue)),
      );
      const added = (part: keyof Weight): number => (after?.[part] ?? 0) - (before?.[part] ?? 0);
      return row(id, {
        files: added('files'),
        lines: added('lines'),
        allLines: added('allLines'),
        testLines: added('testLines'),
      });
    });
    return [
      table(['preset', ...columns], presets),
      'What a module adds, to the default service or as a part of it, with what requires it or is required by it:',
      table(['module', ...columns], modules),
    ].join('\n\n');
  },
};

const columns = ['files', 'lines of code', 'with comments and blank lines', 'lines of code in tests'];

function row(name: string, { files, lines, allLines, testLines }: Weight): string[] {
  return [name, ...[files, lines, allLines, testLines].map(String)];
}
