import { compareVersions, validate } from 'compare-versions';
import type { Rules } from './mergeTree.ts';
import type { Path, Tree } from './tree.ts';

/** A version range with one minimum: `^`, then `5.1.0`. */
interface Range {
  readonly kind: string;
  readonly floor: string;
}

const dependencies = new Set(['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']);

/**
 * The rules of package.json. The minimum of a version range is raised and never lowered, and the range stays of the user's kind (exact,
 * `~`, `>=`). A value that is not a version (`file:`, `workspace:`, `catalog:`, a tag, `*`) is the user's and stays. A dependency or
 * script that the user deleted stays deleted. A dependency that is no longer needed is removed, even when its version was raised.
 */
export const packageJsonRules: Rules = {
  settle(path, { yours, theirs }) {
    if (!isVersion(path) || yours === undefined) return undefined;
    const range = rangeOf(yours);
    if (theirs === undefined) return { merged: range === undefined || path[0] === 'engines' ? yours : undefined };
    const kept = { merged: yours, note: `${path[1]} stays ${scalar(yours)}, where Slipway writes ${scalar(theirs)}` };
    if (range === undefined) return kept;
    const floor = rangeOf(theirs)?.floor;
    if (floor === undefined) return undefined;
    if (compareVersions(floor, range.floor) <= 0) return { merged: yours };
    const merged = JSON.stringify(range.kind + (isPrefix(range) ? samePrefix(range.floor, floor) : floor));
    if (merged === yours) return kept;
    return merged === theirs
      ? { merged }
      : { merged, note: `${path[1]} is raised to ${merged}: the kind of range stays yours` };
  },
  staysDeleted: (path) => path.length <= 2 && (path[0] === 'scripts' || dependencies.has(path[0] ?? '')),
  isWhole: () => false,
  matchItems: false,
};

function isVersion(path: Path): boolean {
  return path.length === 2 && (path[0] === 'engines' || dependencies.has(path[0] ?? ''));
}

/** `5`, `5.1` and `5.1.x` stand for all versions that begin so. */
function isPrefix({ kind, floor }: Range): boolean {
  return kind.trim() === '' && !/^\d+\.\d+\.\d+/.test(floor);
}

/** @returns as much of a version as the user's prefix has of another one */
function samePrefix(prefix: string, version: string): string {
  const parts = version.split('.');
  return prefix
    .split('.')
    .map((part, index) => (/^\d+$/.test(part) ? (parts[index] ?? part) : part))
    .join('.');
}

function scalar(tree: Tree): string {
  return typeof tree === 'string' ? tree : 'something else';
}

/** @returns the lowest version in the range and what precedes it; undefined when the text is not a range with one minimum */
function rangeOf(tree: Tree): Range | undefined {
  if (typeof tree !== 'string' || !tree.startsWith('"')) return undefined;
  const range: unknown = JSON.parse(tree);
  const [, kind, floor] = (typeof range === 'string' && /^(\s*(?:\^|~|>=|=)?\s*v?)(\d\S*)\s*$/.exec(range)) || [];
  return kind !== undefined && floor !== undefined && validate(floor) ? { kind, floor } : undefined;
}
