import { constants, copyFileSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { exitCodes } from '../engine/errors.ts';
import { manifestPath } from '../engine/manifest.ts';
import { osFault } from './faults.ts';
import { listedByGit, placeInRepository } from './git.ts';
import { monorepoOf } from './monorepo.ts';
import { isWithin, realRootOf, rootAbove } from './paths.ts';
import { listPaths } from './tree.ts';

/** A copy of a service, for a trial. */
export interface ScratchCopy {
  /** The folder of the service in the copy. */
  readonly service: string;
  /** The folder that was copied: the service, or the root of its repository. */
  readonly original: string;
  /** Removes the copy. */
  readonly clear: () => void;
}

/** The max number of files to copy. */
const mostFiles = 100_000;

/**
 * Copies a service for a trial. In a git repository the whole repository is copied, because the service may use files above its own folder:
 * a tsconfig that it extends, or packages of a workspace. The copy has what git does not ignore, also what is not committed yet. It has
 * neither git's own folder, nor dependencies, nor output.
 * @param root the service's folder; it need not exist
 * @returns the copy, in a temporary folder
 * @throws SlipwayError when a file cannot be read, or there are too many
 */
export async function scratchCopy(root: string): Promise<ScratchCopy> {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'slipway-verify-'));
  const clear = (): void => rmSync(copy, { recursive: true, force: true });
  try {
    const { original, inside, listed } = await extentOf(realRootOf(root));
    for (const file of listPaths(original, listed, mostFiles)) copyEntry(original, copy, file);
    const service = path.join(copy, inside);
    mkdirSync(service, { recursive: true });
    return { service, original, clear };
  } catch (error) {
    clear();
    throw error;
  }
}

/** Finds the repository of the service, or the workspace without git. A service that git does not list is copied by itself. */
async function extentOf(
  root: string,
): Promise<{ readonly original: string; readonly inside: string; readonly listed?: readonly string[] }> {
  const inside = await placeInRepository(root);
  if (inside === undefined) {
    const place = (await monorepoOf(root, false))?.path ?? '';
    return { original: rootAbove(root, place), inside: place };
  }
  const original = rootAbove(root, inside);
  const listed = await listedByGit(original);
  const isListed = listed?.includes(inside === '' ? manifestPath : `${inside}/${manifestPath}`) === true;
  return isListed ? { original, inside, listed } : { original: root, inside: '' };
}

function copyEntry(from: string, to: string, file: string): void {
  const [source, target] = [path.join(from, file), path.join(to, file)];
  try {
    const stat = lstatSync(source, { throwIfNoEntry: false });
    mkdirSync(path.dirname(target), { recursive: true });
    if (stat?.isFile()) copyFileSync(source, target, constants.COPYFILE_FICLONE);
    // A link that leads out of the copied folder would lead out of the copy too.
    const goal = stat?.isSymbolicLink() ? path.resolve(path.dirname(source), readlinkSync(source)) : undefined;
    if (goal !== undefined && isWithin(from, goal)) symlinkSync(path.relative(path.dirname(source), goal), target);
  } catch (error) {
    throw osFault(error, `cannot copy ${file} to check it`, exitCodes.failed);
  }
}
