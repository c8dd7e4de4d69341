import { isList, isMap, pointer, settingName, type Tree } from './tree.ts';
import type { Side, Trio } from '../../model.ts';

type Counts = Record<Side | 'merged', number>;

const nothing: Counts = { base: 0, yours: 0, theirs: 0, merged: 0 };

/**
 * Checks a merge by its values.
 * @param values base, yours and theirs; each may be several documents
 * @param merged the merged text as values
 * @returns `repeats`: whether a list has an item, or an item of a name, more often than each side. `isWhole`: whether each scalar occurs as
 *   often as the changes of both sides give; a scalar that both sides replaced with different values never does
 */
export function compareScalars(
  values: Trio<readonly Tree[]>,
  merged: readonly Tree[],
): { readonly repeats: boolean; readonly isWhole: boolean } {
  const places = new Map<string, Map<string, Counts>>();
  for (const [side, trees] of Object.entries({ ...values, merged }) as [keyof Counts, readonly Tree[]][]) {
    for (const tree of trees) count(tree, [], side, places);
  }
  return {
    repeats: [...places].some(([place, scalars]) => /\/-(?:\/(?:name|id|path))?$/.test(place) && repeatsOne(scalars)),
    isWhole: [...places.values()].every((scalars) => holdsBoth([...scalars.values()])),
  };
}

/** @param scalars of one place; the settings of one name count together */
function repeatsOne(scalars: ReadonlyMap<string, Counts>): boolean {
  const byName = new Map<string, Counts>();
  for (const [scalar, counts] of scalars) {
    const name = settingName(scalar) ?? scalar;
    const { base, yours, theirs, merged } = byName.get(name) ?? nothing;
    byName.set(name, {
      base: base + counts.base,
      yours: yours + counts.yours,
      theirs: theirs + counts.theirs,
      merged: merged + counts.merged,
    });
  }
  return [...byName.values()].some(({ base, yours, theirs, merged }) => merged > Math.max(base, yours, theirs));
}

/** @param all the scalars of one place */
function holdsBoth(all: readonly Counts[]): boolean {
  const isSame = all.every(({ yours, theirs }) => yours === theirs);
  const isContested = all.some(({ base, yours, theirs }) => yours + theirs < base);
  return all.every(({ base, yours, theirs, merged }) => {
    if (yours === theirs && merged === yours && (isSame || !isContested)) return true;
    return !isContested && merged === yours + theirs - base;
  });
}

/** Counts the scalars of a value by their place. The items of a list have the same place. */
function count(
  tree: Tree,
  path: readonly string[],
  side: keyof Counts,
  places: Map<string, Map<string, Counts>>,
): void {
  if (isMap(tree) && tree.size > 0) {
    for (const [key, value] of tree) count(value, [...path, key], side, places);
    return;
  }
  if (isList(tree) && tree.length > 0) {
    for (const item of tree) count(item, [...path, '-'], side, places);
    return;
  }
  const scalar = isMap(tree) ? '{}' : isList(tree) ? '[]' : tree;
  const place = pointer(path);
  const scalars = places.get(place) ?? new Map<string, Counts>();
  const counts = scalars.get(scalar) ?? { ...nothing };
  counts[side] += 1;
  places.set(place, scalars.set(scalar, counts));
}
