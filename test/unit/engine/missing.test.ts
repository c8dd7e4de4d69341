import { describe, expect, it } from 'vitest';
import type { Catalogue, Service } from '../../../generators/engine/model.ts';
import { validateManifest } from '../../../generators/engine/parseManifest.ts';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';
import type { ConflictRule } from '../../../generators/engine/reconcile/policy.ts';
import { prepare, type Prepared } from '../../../generators/engine/reconcile/prepare.ts';
import { encode } from '../../../generators/engine/text.ts';
import { applyTo, commandsWith, serviceOf, type Tree } from '../../helpers/memoryService.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const now = tinyCatalogue();
const docs = 'docs/operations.md';
const managed = 'internal/platform/app/modules.gen.ts';

/** The catalogue with another text in the middle of a file. */
const next: Catalogue = {
  ...now,
  base: {
    ...now.base,
    files: now.base.files.map((file) =>
      file.path === docs && 'template' in file
        ? {
            ...file,
            template: file.template.map((part) =>
              typeof part === 'string' ? part.replace('step 6', 'changed 6') : part,
            ),
          }
        : file,
    ),
  },
};

const without = (tree: Tree, ...paths: string[]): Tree => new Map([...tree].filter(([path]) => !paths.includes(path)));
const textOf = (tree: Tree, path: string): string => new TextDecoder().decode(tree.get(path)?.bytes);
const entryOf = ({ entries }: Prepared, path: string) => entries.find((entry) => entry.path === path);

function update(
  tree: Tree,
  catalogue: Catalogue,
  more: Partial<Service> = {},
  conflicts: readonly ConflictRule[] = [],
): Prepared {
  return prepare(
    { ...serviceOf(tree), ...more },
    { catalogue, conflicts, merge, edit: (raw) => validateManifest(raw, catalogue) },
  );
}

describe('a missing file', () => {
  const created = commandsWith(now).create([]);
  const own = (tree: Tree): Tree => {
    const text = textOf(tree, docs).replace('step 2', 'mine 2');
    return new Map(tree).set(docs, { bytes: encode(text), mode: 0o644 });
  };

  it.each([
    ['alone', [docs]],
    ['with its folder', [...created.keys()].filter((path) => path.startsWith('docs/'))],
  ])(
    '%s stays missing and keeps its base: when it comes back, what has changed since is merged into it',
    (_how, paths) => {
      const copy = without(created, ...paths);
      const gone = update(copy, next);
      expect(entryOf(gone, docs)).toMatchObject({ action: 'keep', reason: 'it is missing' });
      const later = applyTo(copy, gone.changes);
      expect(later.has(docs)).toBe(false);
      expect(update(later, next).changes).toEqual([]);
      for (const back of [created, own(created)]) {
        const returned = new Map([...back].filter(([path]) => path === docs).concat([...later]));
        const merged = applyTo(returned, update(returned, next).changes);
        expect(textOf(merged, docs)).toContain('changed 6');
        expect(textOf(merged, docs).includes('mine 2')).toBe(back !== created);
      }
    },
  );

  it('is written again when the command names it, and only then', () => {
    const readme = 'README.md';
    const copy = without(created, docs, readme);
    for (const paths of [docs, readme]) {
      const plan = update(copy, next, {}, [{ paths, choice: 'theirs' }]);
      expect(plan.entries.filter(({ action }) => action === 'create').map(({ path }) => path)).toEqual([paths]);
      const after = applyTo(copy, plan.changes);
      expect(update(new Map([...created, ...after]), next).entries.filter(({ path }) => path === paths)).toEqual([]);
    }
    const manifest = textOf(copy, 'slipway.json').replace('{', `{ "conflicts": { "${docs}": "theirs" },`);
    const standing = new Map(copy).set('slipway.json', { bytes: encode(manifest), mode: 0o644 });
    for (const paths of ['**', 'docs/']) {
      const { entries } = update(standing, next, {}, [{ paths, choice: 'theirs' }]);
      expect(entries.filter(({ action }) => action === 'create')).toEqual([]);
    }
    expect(update(standing, next).entries.filter(({ action }) => action === 'create')).toEqual([]);
    const sparse = new Set([docs]);
    expect(update(copy, next, { sparse }, [{ paths: docs, choice: 'theirs' }]).entries).toContainEqual(
      expect.objectContaining({ path: docs, action: 'keep', reason: 'it is not checked out' }),
    );
  });

  it('that is not checked out is not written, not followed to a copy, and not forgotten with its module', () => {
    const { create, remove } = commandsWith(now);
    const tree = create(['database']);
    const page = 'docs/database.md';
    const copy = new Map(without(tree, docs, managed, page)).set('own/operations.md', {
      bytes: encode(textOf(tree, docs)),
      mode: 0o644,
    });
    const sparse = new Set([docs, managed, page]);
    const plan = update(copy, next, { sparse });
    expect(plan.entries.map(({ path, action, reason }) => [path, action, reason])).toEqual([
      [page, 'keep', 'it is not checked out'],
      [docs, 'keep', 'it is not checked out'],
      [managed, 'keep', 'it is not checked out'],
    ]);
    const removed = remove(tree, ['database']);
    expect(entryOf(removed, page)?.action).toBe('delete');
    const kept = prepare(
      { ...serviceOf(copy), sparse },
      {
        catalogue: now,
        merge,
        edit: (raw) => ({ ...validateManifest(raw, now), modules: {} }),
      },
    );
    const after = applyTo(copy, kept.changes);
    const whole = new Map([...tree].filter(([path]) => sparse.has(path)).concat([...after]));
    expect(entryOf(update(whole, now), page)?.action).toBe('delete');
  });
});

describe('a new name of the service', () => {
  const created = commandsWith(now).create([]);
  const named = (tree: Tree, name: string): Tree => {
    const text = textOf(tree, 'slipway.json').replace(/"(?:orders|billing)"/, `"${name}"`);
    return new Map(tree).set('slipway.json', { bytes: encode(text), mode: 0o644 });
  };
  const renamed = (tree: Tree): Tree => named(tree, 'billing');
  const withReadme = (text: string): Tree => new Map(created).set('README.md', { bytes: encode(text), mode: 0o644 });

  it('is followed by an unedited seed, which still counts as unedited', () => {
    const plan = update(renamed(created), now);
    expect(entryOf(plan, 'README.md')).toMatchObject({ action: 'merge', reason: 'its names follow slipway.json' });
    const after = applyTo(renamed(created), plan.changes);
    expect(textOf(after, 'README.md')).toMatch(/^# billing\n/);
    expect(update(after, now).changes).toEqual([]);
    expect(applyTo(after, update(named(after, 'orders'), now).changes).get('README.md')).toEqual(
      created.get('README.md'),
    );
  });

  it('is followed in the lines that are still as written; the others are named', () => {
    const mine = `mine\r\n${textOf(created, 'README.md').replaceAll('\n', '\r\n')}Call orders-api.\r\nreorders\r\n`;
    const plan = update(renamed(withReadme(mine)), now);
    const lines = mine.split('\r\n');
    expect(entryOf(plan, 'README.md')).toMatchObject({
      reason: `its names follow slipway.json; "orders" is left in line ${lines.indexOf('Call orders-api.') + 1}: change it by hand`,
    });
    const after = applyTo(renamed(withReadme(mine)), plan.changes);
    expect(textOf(after, 'README.md')).toBe(mine.replace('# orders\r\n', '# billing\r\n'));
    expect(update(after, now).changes).toEqual([]);
  });

  it('of the description is followed, too, and the name is looked for only when it has changed', () => {
    const own = withReadme(`${textOf(created, 'README.md')}Call orders.\n`);
    const manifest = textOf(own, 'slipway.json').replace(/"description": ".*"/, '"description": "Takes orders"');
    const tree = new Map(own).set('slipway.json', { bytes: encode(manifest), mode: 0o644 });
    const plan = update(tree, now);
    expect(entryOf(plan, 'README.md')).toMatchObject({ reason: 'its names follow slipway.json' });
    expect(textOf(applyTo(tree, plan.changes), 'README.md')).toBe('# orders\n\nTakes orders\nCall orders.\n');
  });

  it('does not bring changes of the template to a seed', () => {
    const other: Catalogue = {
      ...now,
      base: {
        ...now.base,
        files: now.base.files.map((file) =>
          file.path === 'README.md'
            ? { ...file, template: ['# ', { value: { path: ['service', 'name'] } }, '\n\nnew text\n'] }
            : file,
        ),
      },
    };
    const plan = update(renamed(created), other);
    const after = textOf(applyTo(renamed(created), plan.changes), 'README.md');
    expect(after).toMatch(/^# billing\n/);
    expect(after).not.toContain('new text');
  });
});
