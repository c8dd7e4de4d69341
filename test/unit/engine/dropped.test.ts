import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../../generators/engine/model.ts';
import { removeModules } from '../../../generators/engine/edit.ts';
import { validateManifest } from '../../../generators/engine/parseManifest.ts';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';
import { prepare } from '../../../generators/engine/reconcile/prepare.ts';
import { encode } from '../../../generators/engine/text.ts';
import { applyTo, commandsWith, serviceOf, type Tree } from '../../helpers/memoryService.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const now = tinyCatalogue();
const folder = 'internal/platform/http';
const page = `${folder}/page.ts`;
const cursor = `${folder}/cursor.ts`;

/** The catalogue before it dropped two files, of which one imports the other. */
const before: Catalogue = {
  ...now,
  base: {
    ...now.base,
    files: [
      ...now.base.files,
      file(page, "import { cursor } from './cursor.ts';\n\nexport const page = cursor;\n"),
      file(cursor, 'export const cursor = 1;\n'),
    ],
  },
};

function file(path: string, text: string): Catalogue['base']['files'][number] {
  return { path, ownership: 'merged', text };
}

function update(tree: Tree, catalogue = now) {
  return prepare(serviceOf(tree), {
    catalogue,
    merge,
    edit: (raw) => validateManifest(raw, catalogue),
  });
}

const mine = 'internal/orders/routes.ts';
const withMine = (tree: Tree, path: string, text: string): Tree =>
  new Map(tree).set(path, { bytes: encode(text), mode: 0o644 });

describe('a package that the templates no longer need', () => {
  const earlier: Catalogue = { ...now, version: '0.9.0', base: { ...now.base, dependencies: ['fastify', 'pg'] } };
  const created = commandsWith(earlier).create([]);
  const dependencies = (tree: Tree): unknown => JSON.parse(new TextDecoder().decode(tree.get('package.json')?.bytes));

  it('leaves package.json', () => {
    expect(dependencies(created)).toHaveProperty(['dependencies', 'pg']);
    const after = applyTo(created, update(created).changes);
    expect(dependencies(after)).not.toHaveProperty(['dependencies', 'pg']);
  });

  it('stays, as the user’s own, when code of the user imports it', () => {
    const tree = withMine(created, mine, "import pg from 'pg';\n\nexport const x = pg;\n");
    const after = applyTo(tree, update(tree).changes);
    expect(dependencies(after)).toHaveProperty(['dependencies', 'pg']);
    expect(update(after).entries).toEqual([]);
  });
});

describe('a file that the templates have dropped', () => {
  const created = commandsWith(before).create([]);

  it('is deleted when no code of the user imports it', () => {
    const after = applyTo(created, update(created).changes);
    expect(after.has(page)).toBe(false);
    expect(after.has(cursor)).toBe(false);
  });

  it('is the user’s when code of the user imports it, with the files that it imports itself', () => {
    const tree = withMine(
      created,
      mine,
      "import { page } from '../platform/http/page.ts';\n\nexport const x = page;\n",
    );
    const { entries, changes } = update(tree);
    expect(entries.filter(({ path }) => path.startsWith(folder))).toEqual(
      [cursor, page].map((path) =>
        expect.objectContaining({ path, action: 'keep', reason: expect.stringContaining('yours now') }),
      ),
    );
    const after = applyTo(tree, changes);
    expect(after.get(page)).toEqual(tree.get(page));
    expect(after.get(cursor)).toEqual(tree.get(cursor));
    expect(update(after)).toMatchObject({ entries: [], changes: [] });
  });

  it('moves with its folder', () => {
    const moved: Catalogue = {
      ...now,
      base: {
        ...now.base,
        files: now.base.files.map((each) => ({ ...each, path: each.path.replace(folder, 'internal/web') })),
        wiring: { http: 'internal/web/module.ts' },
        renamed: { [`${folder}/`]: 'internal/web/' },
      },
    };
    const tree = withMine(
      created,
      mine,
      "import { page } from '../platform/http/page.ts';\n\nexport const x = page;\n",
    );
    const after = applyTo(tree, update(tree, moved).changes);
    expect(new TextDecoder().decode(after.get(mine)?.bytes)).toContain("'../web/page.ts'");
    expect(after.has('internal/web/cursor.ts')).toBe(true);
    expect(after.has(page)).toBe(false);
  });

  it('of a removed module is not kept: the command says which code still needs it', () => {
    const tree = withMine(commandsWith(now).create(['database']), mine, "import '../database/module.ts';\n");
    const removing = () =>
      prepare(serviceOf(tree), {
        catalogue: now,
        merge,
        edit: (raw) => removeModules(validateManifest(raw, now), ['database'], now),
      });
    expect(removing).toThrow(/your code still needs/);
  });
});
