import { align, mapTrio, sameLines } from './align.ts';
import {
  byIdentity,
  equal,
  identityOf,
  isList,
  isMap,
  isSet,
  lookUp,
  pointer,
  settingName,
  type Path,
  type Tree,
  type TreeMap,
} from './tree.ts';
import type { Trio } from '../../model.ts';

/** The rules of a kind of file. They override the general rules. */
export interface Rules {
  /** Resolves a value that both sides changed. Returns undefined for a conflict. The note is for the user. */
  readonly settle: (path: Path, values: Trio<Tree | undefined>) => Settled | undefined;
  /** Whether a key that the user deleted stays deleted when theirs changed it. */
  readonly staysDeleted: (path: Path) => boolean;
  /** Whether a deleted object stays deleted with everything that theirs may add to it. */
  readonly isWhole: (path: Path) => boolean;
  /** Whether items of arrays of objects are matched by `name`, `id` or `path`. */
  readonly matchItems: boolean;
}

export interface Settled {
  readonly merged: Tree | undefined;
  readonly note?: string;
}

/** The rules of all other files: two different changes are a conflict. */
export const plainRules: Rules = {
  settle: () => undefined,
  staysDeleted: () => false,
  isWhole: () => false,
  matchItems: false,
};

export interface TreeConflict extends Trio<Tree | undefined> {
  readonly path: Path;
}

/** Returns the value to put at a conflict. */
export type Choose = (conflict: TreeConflict) => Tree | undefined;

export interface MergedTree {
  readonly tree: TreeMap;
  readonly conflicts: readonly TreeConflict[];
  /** Theirs without the values that the user already had. See {@link Merged.base}. */
  readonly recorded: TreeMap;
  /** Pointer → the user's value that theirs replaced. The merge restores it when theirs removes its value. */
  readonly before: TreeMap;
  /** What the rules say about values that they resolved. */
  readonly notes: readonly string[];
}

/** The merged value of one place, and the part of theirs to record. */
interface Outcome {
  readonly merged: Tree | undefined;
  readonly recorded: Tree | undefined;
}

const empty: TreeMap = new Map();

/**
 * Merges three values by key. When only one side changed a key, that side wins. When both sides added the same value, it is the user's.
 * Arrays of scalars are ordered sets. Any other array is one value.
 * @param sides base, yours and theirs
 * @param before from the recorded base: see {@link MergedTree.before}
 * @param rules of this kind of file
 * @param choose returns the value to put at a conflict
 * @returns the merged value, with keys in the order of yours
 */
export function mergeTree(sides: Trio<TreeMap>, before: TreeMap, rules: Rules, choose: Choose): MergedTree {
  const conflicts: TreeConflict[] = [];
  const notes: string[] = [];
  const kept = new Map<string, Tree>();

  function mergeAt(path: Path, values: Trio<Tree | undefined>): Outcome {
    const { base, yours, theirs } = values;
    const earlier = before.get(pointer(path));
    if (earlier !== undefined && theirs === undefined) {
      return { merged: giveBack(path, values, earlier), recorded: undefined };
    }
    if (base === undefined && yours !== undefined && equal(yours, theirs))
      return { merged: yours, recorded: undefined };
    if (base !== undefined && yours === undefined && rules.isWhole(path))
      return { merged: undefined, recorded: theirs };
    const container = mergeContainers(path, values);
    if (container !== undefined) return container;
    if (equal(yours, theirs) || equal(base, theirs)) return { merged: yours, recorded: theirs };
    if (equal(base, yours)) return { merged: theirs, recorded: theirs };
    if (yours === undefined && rules.staysDeleted(path)) return { merged: undefined, recorded: theirs };
    const settled = rules.settle(path, values);
    if (settled !== undefined && base === undefined && equal(settled.merged, yours))
      return { merged: yours, recorded: undefined };
    if (settled?.note !== undefined) notes.push(settled.note);
    if (base === undefined && yours !== undefined && theirs !== undefined) kept.set(pointer(path), yours);
    if (settled !== undefined) return { merged: settled.merged, recorded: theirs };
    const conflict = { path, ...values };
    conflicts.push(conflict);
    return { merged: choose(conflict), recorded: theirs };
  }

  /** Restores the user's earlier value at a place where theirs has no value any more. */
  function giveBack(path: Path, { base, yours }: Trio<Tree | undefined>, earlier: Tree): Tree | undefined {
    const written = rules.settle(path, { base: undefined, yours: earlier, theirs: base })?.merged ?? base;
    if (equal(base, yours) || equal(written, yours)) return earlier;
    if (yours === undefined || typeof earlier === 'string') return yours;
    return (mergeContainers(path, { base: base ?? earlier, yours, theirs: earlier }) ?? { merged: yours }).merged;
  }

  function mergeContainers(path: Path, values: Trio<Tree | undefined>): Outcome | undefined {
    const { base, yours, theirs } = values;
    const present = [base, yours, theirs].filter((value) => value !== undefined);
    // There is nothing to merge inside a value that only one side has or that the user deleted.
    if (yours === undefined && !(base !== undefined && theirs !== undefined && rules.staysDeleted(path)))
      return undefined;
    if (present.length < 2 || (equal(yours, theirs) && equal(base, theirs))) return undefined;
    if (present.every(isMap)) {
      const maps = mapTrio(values, (value) => (isMap(value) ? value : empty));
      if (base === undefined && maps.yours.size === 0) kept.set(pointer(path), maps.yours);
      return mergeInside(values, mergeMaps(path, maps));
    }
    if (!present.every(isList)) return undefined;
    const lists = mapTrio(values, (value) => (isList(value) ? value : []));
    const sets = mapTrio(lists, (list) => (isSet(list) ? list : undefined));
    if (sets.base !== undefined && sets.yours !== undefined && sets.theirs !== undefined) {
      if ((equal(base, yours) && theirs !== undefined) || isContested(sets.base, sets.yours, sets.theirs))
        return undefined;
      if (base === undefined && sets.yours.length === 0) kept.set(pointer(path), sets.yours);
      return mergeInside(values, mergeSets({ base: sets.base, yours: sets.yours, theirs: sets.theirs }));
    }
    const identity = rules.matchItems ? identityOf([lists.base, lists.yours, lists.theirs]) : undefined;
    if (identity === undefined) return undefined;
    const { merged, recorded } = mergeMaps(
      path,
      mapTrio(lists, (list) => byIdentity(list, identity)),
      false,
    );
    return mergeInside(values, { merged: [...merged.values()], recorded: [...recorded.values()] });
  }

  /** @param sorts whether new keys may go to their sorted places */
  function mergeMaps(path: Path, maps: Trio<TreeMap>, sorts = true): { merged: TreeMap; recorded: TreeMap } {
    const merged = new Map<string, Tree>();
    const recorded = new Map<string, Tree>();
    const merge = (key: string) => {
      const outcome = mergeAt(
        [...path, key],
        mapTrio(maps, (map) => map.get(key)),
      );
      if (outcome.merged !== undefined) merged.set(key, outcome.merged);
      if (outcome.recorded !== undefined) recorded.set(key, outcome.recorded);
    };
    const keys = new Set([...maps.yours.keys(), ...maps.theirs.keys()]);
    for (const key of keys) merge(key);
    const yourKeys = [...maps.yours.keys()];
    const theirKeys = [...maps.theirs.keys()];
    const sorted = sorts && isSorted(yourKeys) && (yourKeys.length > 1 || isSorted(theirKeys));
    const order = place(yourKeys, theirKeys, sorted);
    return { merged: inOrder(merged, order), recorded: inOrder(recorded, maps.theirs.keys()) };
  }

  const { merged, recorded } = mergeMaps([], sides);
  for (const [at, value] of before) if (lookUp(sides.theirs, at) !== undefined) kept.set(at, value);
  const sorted = [...kept].toSorted(([some], [other]) => (some < other ? -1 : 1));
  return { tree: merged, conflicts, recorded, before: new Map(sorted), notes };
}

/** Removes an empty object or array when one side does not have it. */
function mergeInside({ yours, theirs }: Trio<Tree | undefined>, inside: { merged: Tree; recorded: Tree }): Outcome {
  const size = isMap(inside.merged) ? inside.merged.size : inside.merged.length;
  const gone = size === 0 && (yours === undefined || theirs === undefined);
  return { merged: gone ? undefined : inside.merged, recorded: theirs === undefined ? undefined : inside.recorded };
}

/**
 * Returns whether both sides replaced the same item, one side removed the item that the other side replaced, or both added a setting with
 * the same name.
 */
function isContested(base: readonly string[], yours: readonly string[], theirs: readonly string[]): boolean {
  const namesIn = (items: readonly string[], others: readonly string[]): string[] => {
    const known = new Set([...base, ...others]);
    return items.flatMap((item) => (known.has(item) ? [] : (settingName(item) ?? [])));
  };
  const names = new Set(namesIn(yours, theirs));
  if (namesIn(theirs, yours).some((name) => names.has(name))) return true;
  const [mine, wanted] = [new Set(yours), new Set(theirs)];
  const isGone = (item: string): boolean => !mine.has(item) && !wanted.has(item);
  if (!base.some(isGone)) return false;
  const lists = { base, yours, theirs };
  return align(lists).some((region) => {
    if (region.from !== 'both') return false;
    const at = mapTrio(region.ranges, (range, side) => lists[side].slice(...range));
    return at.base.some(isGone) && !sameLines(at.yours, at.theirs);
  });
}

function mergeSets({ base, yours, theirs }: Trio<readonly string[]>): { merged: Tree; recorded: Tree } {
  const [before, wanted, present] = [new Set(base), new Set(theirs), new Set(yours)];
  const kept = yours.filter((item) => wanted.has(item) || !before.has(item));
  const wantedHere = theirs.filter((item) => present.has(item) || !before.has(item));
  return {
    merged: place(kept, wantedHere, false),
    recorded: theirs.filter((item) => before.has(item) || !present.has(item)),
  };
}

/**
 * @param yours keys in their order
 * @param theirs keys in their order
 * @param sorted whether a new key goes to its sorted place; otherwise it goes after the key that it follows in theirs
 * @returns all keys
 */
function place(yours: readonly string[], theirs: readonly string[], sorted: boolean): string[] {
  const order = [...yours];
  const present = new Set(yours);
  let previous: string | undefined;
  for (const key of theirs) {
    if (!present.has(key)) {
      const larger = sorted ? order.findIndex((other) => other > key) : -1;
      const behind = previous === undefined ? 0 : order.indexOf(previous) + 1;
      order.splice(sorted ? (larger === -1 ? order.length : larger) : behind, 0, key);
      present.add(key);
    }
    previous = key;
  }
  return order;
}

function isSorted(keys: readonly string[]): boolean {
  return keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') <= key);
}

function inOrder(map: TreeMap, order: Iterable<string>): TreeMap {
  const ordered = new Map<string, Tree>();
  for (const key of order) {
    const value = map.get(key);
    if (value !== undefined) ordered.set(key, value);
  }
  return ordered;
}
