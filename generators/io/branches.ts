import { manifestPath } from '../engine/manifest.ts';
import type { DiskFile, Service, Trio } from '../engine/model.ts';
import { type Branches, textOf } from '../engine/reconcile/branches.ts';
import {
  committedFiles,
  commonAncestors,
  type GitFile,
  type GitMerge,
  listedByGit,
  mergeUnderWay,
  readBlobs,
  sparseFiles,
  type Unmerged,
  unmergedFiles,
} from './git.ts';
import { pathFault } from './paths.ts';
import { openService } from './service.ts';
import { openStore } from './store.ts';
import { hashOf } from './tree.ts';

/** A merge of git that is under way. */
export interface MergeUnderWay {
  readonly branches: Branches;
  /** The command that ends it; absent when git keeps no commit to merge, as after `git stash pop`. */
  readonly goOn: string | undefined;
  /** Files on disk that were read through links, for {@link refuseIgnored}. */
  readonly linked: readonly string[];
}

type Files = ReadonlyMap<string, GitFile>;

/**
 * Reads both sides of a merge, rebase, cherry-pick or revert, and what they started from.
 * @param root the service's folder
 * @returns the sides and the service on disk; undefined when no merge is under way
 * @throws SlipwayError (exit code 2) when git refuses to answer, or when a side is damaged
 */
export async function readBranches(root: string): Promise<MergeUnderWay | undefined> {
  const unmerged = await unmergedFiles(root);
  const underWay = await mergeUnderWay(root);
  if (underWay === undefined && unmerged.size === 0) return undefined;
  const { manifestText, read, files, outdated, hash, linked } = openService(root, undefined, await listedByGit(root));
  // The store on disk is not read: git may have damaged it.
  const store = { lock: { catalogue: '', files: {} }, base: () => undefined };
  const sparse = await sparseFiles(root);
  const present: Service = { ...store, manifestText, read, files, sparse, outdated, hash };
  const trees = await treesOf(root, underWay, unmerged);
  const lists = Object.values<Files>({ ...trees });
  const differing = new Map<string, readonly (GitFile | undefined)[]>();
  for (const path of new Set(lists.flatMap((list) => [...list.keys()]))) {
    const versions = lists.map((list) => list.get(path));
    const [first] = versions;
    const isSame = versions.every((file) => file?.id === first?.id && file?.mode === first?.mode);
    if (pathFault(path) === undefined && versions.every(isRegular) && (!isSame || unmerged.has(path)))
      differing.set(path, versions);
  }
  const blobs = await readBlobs(root, new Set([...differing.values()].flat().flatMap((file) => file?.id ?? [])));
  for (const [path, versions] of differing) {
    if (versions.some((file) => file !== undefined && !blobs.has(file.id))) differing.delete(path);
  }
  /** A file that is the same on all sides, or that git does not give, is on each side what it is on disk. */
  const service = (side: keyof Trees): Service => {
    const readSide = (path: string): DiskFile | undefined => {
      if (!differing.has(path)) return read(path);
      const file = trees[side]?.get(path);
      const bytes = file && blobs.get(file.id);
      return bytes && { bytes, mode: file.mode === '100755' ? 0o755 : 0o644, hash: hashOf(bytes) };
    };
    const text = textOf(readSide(manifestPath));
    const { lock, base } = openStore(readSide, text !== undefined);
    const isThere = (path: string): boolean => !path.startsWith('.slipway/') && readSide(path) !== undefined;
    return {
      manifestText: text,
      lock: lock(),
      read: readSide,
      base,
      files: () => [...files().filter((path) => !differing.has(path)), ...[...differing.keys()].filter(isThere)].sort(),
      sparse,
      outdated: () => [],
      hash: hashOf,
    };
  };
  const base = service('base');
  return {
    branches: {
      base: trees.otherBase === undefined ? base : { base: service('root'), yours: base, theirs: service('otherBase') },
      yours: service('yours'),
      theirs: service('theirs'),
      present,
      unmerged: new Set(unmerged.keys()),
    },
    goOn: underWay?.goOn,
    linked,
  };
}

/** The files of the commits of a merge. After a criss-cross merge there are two bases, and the root is their common ancestor. */
type Trees = Trio<Files> & { readonly otherBase?: Files; readonly root?: Files };

/** Reads the commits. Of a file that git could not merge, the index has the sides: git follows renames. */
async function treesOf(
  folder: string,
  underWay: GitMerge | undefined,
  unmerged: ReadonlyMap<string, Unmerged>,
): Promise<Trees> {
  const { yours, theirs, bases: [base, otherBase] = [] } = underWay ?? {};
  const filesOf = async (commit: string | undefined): Promise<Map<string, GitFile>> =>
    new Map(commit === undefined ? [] : await committedFiles(folder, commit));
  const sides = { base: await filesOf(base), yours: await filesOf(yours), theirs: await filesOf(theirs) };
  const isCrissCross = base !== undefined && otherBase !== undefined;
  for (const [path, stages] of unmerged) {
    for (const side of isCrissCross ? (['yours', 'theirs'] as const) : (['base', 'yours', 'theirs'] as const)) {
      sides[side].delete(path);
      const file = stages[side];
      if (file !== undefined) sides[side].set(path, file);
    }
  }
  if (!isCrissCross) return sides;
  const [root] = await commonAncestors(folder, base, otherBase);
  return { ...sides, otherBase: await filesOf(otherBase), root: await filesOf(root) };
}

function isRegular(file: GitFile | undefined): boolean {
  return file === undefined || file.mode.startsWith('100');
}
