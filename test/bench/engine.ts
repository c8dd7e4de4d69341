import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Catalogue, Manifest } from '../../generators/engine/model.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { prepare } from '../../generators/engine/reconcile/prepare.ts';
import { render as renderService } from '../../generators/engine/render.ts';
import { createTree } from '../../generators/io/freshTree.ts';
import { openService } from '../../generators/io/service.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { offeredModules } from '../helpers/offeredModules.ts';
import { text, tinyCatalogue } from '../helpers/tinyCatalogue.ts';
import type { Measurement } from './measurement.ts';
import { type Candidate, compare } from './sample.ts';
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
    const planned = [500, 1000, 2000, 4000].map(
      (files) => grownService(files, path.join(scratch, `plan-${files}`), tinyCatalogue(), []).plan,
    );
    return timeTable(compare(planned, 9), 'plan of 500 files');
  },
};

/** A service on disk with many files of its catalogue, a tenth of them edited. */
interface Grown {
  readonly folder: string;
  readonly catalogue: Catalogue;
  readonly manifest: Manifest;
  /** Plans an update in which each of the files changes. */
  readonly plan: Candidate;
}

/**
 * @param count how many files its catalogue gets besides its own
 * @param folder where it is written
 * @param catalogue what it is made from
 * @param modules ids of its modules
 * @returns the service
 */
export function grownService(count: number, folder: string, catalogue: Catalogue, modules: readonly string[]): Grown {
  const lines = Array.from({ length: 60 }, (_, line) => `export const value${line} = ${line};\n`).join('');
  const contents = Array.from(
    { length: count },
    (_, index) => [`internal/part${index % 40}/file${index}.ts`, `// ${index}\n${lines}`] as const,
  );
  const { base } = catalogue;
  const withFiles = (end: string, changes: Partial<Catalogue> = {}): Catalogue => ({
    ...catalogue,
    ...changes,
    base: { ...base, files: [...base.files, ...contents.map(([name, content]) => text(name, content + end))] },
  });
  const grown = withFiles('');
  const newer = withFiles('// newer\n', { version: '99.0.0' });
  const manifest = newManifest({ name: 'orders', modules }, grown);
  const { changes } = prepare(openService(folder), { catalogue: grown, merge, edit: () => manifest });
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
    folder,
    catalogue: grown,
    manifest,
    plan: {
      name: `plan of ${count} files`,
      run: () =>
        void prepare(openService(folder), {
          catalogue: newer,
          merge,
          edit: () => ({ ...manifest, catalogue: newer.version }),
        }),
    },
  };
}
