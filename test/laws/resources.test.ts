import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Field, Manifest } from '../../generators/engine/model.ts';
import { render } from '../../generators/engine/render.ts';
import { putResource, withResources } from '../../generators/engine/resources/edit.ts';
import { printField } from '../../generators/engine/resources/fields.ts';
import { decode, encode } from '../../generators/engine/text.ts';
import { applyTo, commandsWith, manifestIn, snapshot, type Tree } from '../helpers/memoryService.ts';
import { resourceCatalogue } from '../helpers/resourceCatalogue.ts';
import { fieldArbitrary, resourcesArbitrary } from '../helpers/resources.ts';
import { runs } from '../helpers/runs.ts';

type Resources = NonNullable<Manifest['resources']>;

const catalogue = resourceCatalogue();
const { create, add, remove, reconcile, change } = commandsWith(catalogue);
const resources = resourcesArbitrary(printField);
const modules = fc.subarray(['database', 'cache']);
const options = { numRuns: runs(60) };

const put = (tree: Tree, more: Resources): Tree =>
  applyTo(tree, change(tree, (now) => withResources(now, { ...now.resources, ...more })).changes);
const without = (tree: Tree, names: readonly string[]): Tree =>
  applyTo(
    tree,
    change(tree, (now) => {
      const kept = Object.entries(now.resources ?? {}).filter(([name]) => !names.includes(name));
      return withResources(now, Object.fromEntries(kept));
    }).changes,
  );

/** A service in which a user has written a line at the end of some files of the resources. */
function edited(tree: Tree, picks: readonly number[]): Tree {
  const after = new Map(tree);
  const paths = [...tree.keys()]
    .filter((path) => path.endsWith('/domain.ts') || path.startsWith('docs/resources/'))
    .sort();
  for (const [index, pick] of picks.entries()) {
    const path = paths[pick % Math.max(1, paths.length)];
    const file = path === undefined ? undefined : after.get(path);
    if (path !== undefined && file !== undefined)
      after.set(path, { ...file, bytes: encode(`${decode(file.bytes)}\n// mine ${index}\n`) });
  }
  return after;
}

function mine(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => !path.startsWith('.slipway/'))
    .flatMap(([, { bytes }]) => decode(bytes)?.match(/\/\/ mine \d+/g) ?? [])
    .sort();
}

const newField: fc.Arbitrary<Field> = fieldArbitrary([]).map((field) => ({
  ...field,
  name: `${field.name}New1`,
  optional: true,
}));

describe('the laws of reconciliation, for resources', () => {
  it('1: the order of the resources in the manifest does not show', () => {
    fc.assert(
      fc.property(resources, modules, (some, ids) => {
        const manifest = newManifest({ name: 'shop', modules: ids }, catalogue);
        const turned = Object.fromEntries(Object.entries(some).toReversed());
        const [first, second] = [some, turned].map((each) =>
          [...render({ ...manifest, resources: each }, catalogue)].map(([path, { bytes }]) => [path, decode(bytes)]),
        );
        expect(second).toEqual(first);
      }),
      options,
    );
  });

  it('2: resources and modules may come at once, or one after the other, in any order', () => {
    fc.assert(
      fc.property(resources, modules, fc.nat(), (some, ids, turn) => {
        const together = put(create(ids), some);
        const later = put(create([]), some);
        expect(snapshot(applyTo(later, add(later, ids).changes))).toEqual(snapshot(together));
        // A resource refers to those before it only: any number of the first may come first.
        const entries = Object.entries(some);
        const part = Object.fromEntries(entries.slice(0, turn % (entries.length + 1)));
        expect(snapshot(put(put(create(ids), part), some))).toEqual(snapshot(together));
      }),
      options,
    );
  });

  it('3: a resource, or a module beside resources, that is added and removed leaves the same bytes, also after edits', () => {
    fc.assert(
      fc.property(resources, modules, fc.nat(), fc.array(fc.nat(), { maxLength: 4 }), (some, ids, turn, picks) => {
        const entries = Object.entries(some);
        const first = Object.fromEntries(entries.slice(0, turn % (entries.length + 1)));
        const tree = edited(put(create(ids), first), picks);
        const more = Object.keys(some).filter((name) => !Object.hasOwn(first, name));
        expect(snapshot(without(put(tree, some), more))).toEqual(snapshot(tree));
        const others = ['database', 'cache'].filter((id) => !ids.includes(id));
        const grown = applyTo(tree, add(tree, others).changes);
        expect(snapshot(applyTo(grown, remove(grown, others).changes))).toEqual(snapshot(tree));
      }),
      options,
    );
  });

  it('4: reconciling again changes nothing', () => {
    fc.assert(
      fc.property(resources, modules, fc.array(fc.nat(), { maxLength: 4 }), (some, ids, picks) => {
        const tree = edited(put(create(ids), some), picks);
        expect(reconcile(tree).changes.map(({ path }) => path)).toEqual([]);
      }),
      options,
    );
  });

  it('5: a new field keeps what a user has written, and rewrites no migration', () => {
    let proved = 0;
    fc.assert(
      fc.property(
        resources,
        fc.array(newField, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (some, fields, picks) => {
          const [name] = Object.keys(some);
          fc.pre(name !== undefined && new Set(fields.map((field) => field.name)).size === fields.length);
          const before = edited(put(create(['database']), some), picks);
          const request = { name: name ?? '', fields };
          const planned = change(before, (now) => putResource(now, request, '20261201').manifest);
          // The user's line and the new field may be at one place.
          if (planned.entries.some(({ action }) => action === 'conflict')) return;
          const after = applyTo(before, planned.changes);
          expect(mine(after)).toEqual(mine(before));
          const migrations = Object.entries(snapshot(before)).filter(([path]) =>
            path.startsWith('internal/migrations/'),
          );
          expect(snapshot(after)).toMatchObject(Object.fromEntries(migrations));
          expect(Object.keys(manifestIn(after, catalogue).resources?.[name ?? '']?.changes ?? {})).toHaveLength(1);
          proved += 1;
        },
      ),
      options,
    );
    expect(proved).toBeGreaterThan(runs(20));
  });
});
