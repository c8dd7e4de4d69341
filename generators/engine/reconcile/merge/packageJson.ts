import { compareVersions, validate } from 'compare-versions';
import type { Rules } from './mergeTree.ts';
import type { Path, Tree } from './tree.ts';

const dependencies = new Set(['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']);

/**
 * The rules of package.json. The minimum of a version range is raised and never lowered. A value that is not a version (`file:`,
 * `workspace:`, a tag, `*`) is the user's and stays. A dependency or script that the user deleted stays deleted. A dependency that is
 * no longer needed is removed, even when its version was raised.
 */
export const packageJsonRules: Rules = {
  settle(path, { yours, theirs }) {
    if (!isVersion(path) || yours === undefined) return undefined;
    const floor = floorOf(yours);
    if (theirs === undefined) return floor === undefined || path[0] === 'engines' ? 'yours' : 'theirs';
    if (floor === undefined) return 'yours';
    const theirFloor = floorOf(theirs);
    if (theirFloor === undefined) return undefined;
    return compareVersions(theirFloor, floor) > 0 ? 'theirs' : 'yours';
  },
  staysDeleted: (path) => path.length <= 2 && (path[0] === 'scripts' || dependencies.has(path[0] ?? '')),
  isWhole: () => false,
  matchItems: false,
};

function isVersion(path: Path): boolean {
  return path.length === 2 && (path[0] === 'engines' || dependencies.has(path[0] ?? ''));
}

/** @returns the lowest version in the range; undefined when the text is not a range with one minimum */
function floorOf(tree: Tree): string | undefined {
  if (typeof tree !== 'string' || !tree.startsWith('"')) return undefined;
  const range: unknown = JSON.parse(tree);
  const floor = typeof range === 'string' ? /^\s*(?:\^|~|>=)?\s*v?(\d\S*)\s*$/.exec(range)?.[1] : undefined;
  return floor !== undefined && validate(floor) ? floor : undefined;
}
