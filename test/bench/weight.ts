import { offeredModules } from '../../generators/engine/resolve.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceOfPreset, type Weight, weightOf } from '../helpers/weight.ts';
import type { Measurement } from './measurement.ts';
import { table } from './table.ts';

/** How much an owner has to read. */
export const weight: Measurement = {
  title: 'Weight of a fresh service: files and lines of TypeScript, without lockfile bases and printed code',
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
      return row(id, {
        files: (after?.files ?? 0) - (before?.files ?? 0),
        lines: (after?.lines ?? 0) - (before?.lines ?? 0),
        testLines: (after?.testLines ?? 0) - (before?.testLines ?? 0),
      });
    });
    return [
      table(['preset', 'files', 'lines', 'lines of tests'], presets),
      'What a module adds, to the default service or as a part of it, with what requires it or is required by it:',
      table(['module', 'files', 'lines', 'lines of tests'], modules),
    ].join('\n\n');
  },
};

function row(name: string, { files, lines, testLines }: Weight): string[] {
  return [name, String(files), String(lines), String(testLines)];
}
