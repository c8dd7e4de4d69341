import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { newManifest } from '../../generators/engine/manifest.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { prepare } from '../../generators/engine/reconcile/prepare.ts';
import { render as renderService } from '../../generators/engine/render.ts';
import { createTree } from '../../generators/io/freshTree.ts';
import { openService } from '../../generators/io/service.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { offeredModules } from '../helpers/offeredModules.ts';
import { text, tinyCatalogue } from '../helpers/tinyCatalogue.ts';
import type { Measurement } from './measurement.ts';
import { compare } from './sample.ts';
import { timeTable } from './table.ts';

/** The engine alone, in this process. */
export const render: Measurement = {
  title: '`render` with every module',
  async measure() {
    const catalogue = await buildCatalogue();
    const everything = newManifest({ name: 'orders', modules: offeredModules }, catalogue);
    const run = () => renderService(everything, catalogue);
    return timeTable(compare([{ name: `render of everything (${run().size} files)`, run: () => void run() }], 31));
  },
};

/** What grows with the size of a service. */
export const plan: Measurement = {
  title: '`plan` of a service on disk, files read and hashed, a tenth of them edited',
  measure({ scratch }) {
    const planned = [500, 1000, 2000, 4000].map((files) => candidate(files, scratch));
    return timeTable(compare(planned, 9), 'plan of 500 files');
  },
};

function candidate(count: number, scratch: string) {
  const lines = Array.from({ length: 60 }, (_, line) => `export const value${line} = ${line};\n`).join('');
  const contents = Array.from(
    { length: count },
    (_, index) => [`internal/part${index % 40}/file${index}.ts`, `// ${index}\n${lines}`] as const,
  );
  const { base } = tinyCatalogue();
  const withFiles = (version: string, end: string) =>
    tinyCatalogue({
      version,
      base: { ...base, files: [...base.files, ...contents.map(([name, content]) => text(name, content + end))] },
    });
  const catalogue = withFiles('1.0.0', '');
  const newer = withFiles('1.1.0', '// newer\n');
  const folder = path.join(scratch, `plan-${count}`);
  const manifest = newManifest({ name: 'orders' }, catalogue);
  const { changes } = prepare(openService(folder), { catalogue, merge, edit: () => manifest });
  createTree(
    folder,
    changes.flatMap((change) =>
      'write' in change ? [{ path: change.path, bytes: change.write, mode: change.mode }] : [],
    ),
  );
  for (const [name, content] of contents.filter((_, index) => index % 10 === 0)) {
    writeFileSync(path.join(folder, name), `// mine\n${content}`);
  }
  return {
    name: `plan of ${count} files`,
    run: () =>
      void prepare(openService(folder), {
        catalogue: newer,
        merge,
        edit: () => ({ ...manifest, catalogue: '1.1.0' }),
      }),
  };
}
