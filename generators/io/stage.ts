import { accessSync, constants, lstatSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import { badInput, exitCodes, SlipwayError } from '../engine/errors.ts';
import type { Change } from '../engine/model.ts';
import { makeFolder, removeIfEmpty, syncFolder, writeNewFile } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { removeJournal, transactionFolder, transactionFolderOf, writeJournal } from './journal.ts';
import type { Entry } from './journal.ts';
import { fileSystems } from './mounts.ts';
import { lstatIfAny, realRootOf, resolveInside } from './paths.ts';
import { hashOf, readFileInside } from './tree.ts';

/** A change that has been checked. */
interface Step {
  readonly change: Change;
  /** Absolute location of the file, with links followed. */
  readonly file: string;
  /** Permission bits of the existing file; undefined when it does not exist. */
  readonly mode: number | undefined;
}

/**
 * Checks that all changes can be made, before anything is written.
 * @param root the service's folder
 * @param changes the changes
 * @returns the changes with their locations
 * @throws SlipwayError for an unsafe, read-only or unreachable file, and for one that has changed since the plan
 */
export function inspect(root: string, changes: readonly Change[]): Step[] {
  const realRoot = realRootOf(root);
  if (lstatIfAny(realRoot) === undefined) throw badInput(`the folder ${root} does not exist`, 'make it first');
  const fileSystemOf = fileSystems(realRoot);
  const home = fileSystemOf(join(realRoot, transactionFolder, 'file'));
  const seen = new Map<string, string>();
  return changes.map((change) => {
    const { path } = change;
    const file = resolveInside(root, path);
    const twin = seen.get(file);
    if (twin !== undefined) throw badInput(`${path} and ${twin} are the same file`, 'remove the link between them');
    seen.set(file, path);
    const mode = expectUnchanged(root, change);
    if (mode !== undefined) assertWritable(path, file, mode);
    assertFolderWritable(path, file);
    if (fileSystemOf(file) !== home) {
      throw badInput(
        `${path} lies on another file system than .slipway`,
        'unmount it, or move it, and run the command again',
      );
    }
    return { change, file, mode };
  });
}

/**
 * @param root the service's folder
 * @param change one change
 * @returns the permission bits of the existing file; undefined when it does not exist
 * @throws SlipwayError when it has changed since the plan
 */
export function expectUnchanged(root: string, change: Change): number | undefined {
  const present = readFileInside(root, change.path);
  if ((present?.hash ?? null) === change.expect) return present?.mode;
  throw new SlipwayError(exitCodes.failed, `${change.path} has changed since the plan was made`, {
    hint: 'run the command again to plan with the file as it is now',
    details: { path: change.path },
  });
}

function assertWritable(path: string, file: string, mode: number): void {
  // The bits are checked as well: root may always write, but a file without write bits is meant to stay unchanged.
  if ((mode & 0o222) === 0 || !mayWrite(file)) {
    throw badInput(
      `${path} is read-only and would have to change`,
      `make it writable (chmod u+w ${path}) and run again`,
      { path },
    );
  }
}

function assertFolderWritable(path: string, file: string): void {
  let folder = dirname(file);
  while (lstatIfAny(folder) === undefined) folder = dirname(folder);
  if (!mayWrite(folder)) {
    throw badInput(`${path} cannot be written: its folder is read-only`, `make ${folder} writable and run again`, {
      path,
    });
  }
}

function mayWrite(place: string): boolean {
  try {
    accessSync(place, constants.W_OK);
    return true;
  } catch (error) {
    // Other errors, such as a full disk, are not the task of this check.
    return !['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '');
  }
}

/**
 * Creates the transaction's folder, the missing folders and all staged files. It does not change the user's files.
 * @param root the service's folder
 * @param steps the checked changes
 * @param durable whether everything must survive a power cut before this returns
 * @returns the entries of the journal for the commit point
 */
export function stage(root: string, steps: readonly Step[], durable: boolean): Entry[] {
  const realRoot = realRootOf(root);
  const transaction = transactionFolderOf(root);
  const folders = missingFolders(realRoot, steps);
  whole(`cannot write in ${transactionFolder}`, () =>
    writeJournal(
      transaction,
      { version: 1, state: 'preparing', folders: folders.map((it) => posix(realRoot, it)) },
      durable,
    ),
  );
  for (const folder of folders) whole(`cannot make the folder ${posix(realRoot, folder)}`, () => makeFolder(folder));
  const entries = steps.map((step, index) =>
    whole(`cannot write ${step.change.path}`, () => stageOne(transaction, step, String(index), durable)),
  );
  if (durable) {
    const parents = new Set([transaction, ...folders.map((folder) => dirname(folder))]);
    for (const folder of parents) whole(`cannot write in ${folder}`, () => syncFolder(folder));
  }
  return entries;
}

function stageOne(transaction: string, { change, file, mode }: Step, name: string, durable: boolean): Entry {
  const { path, expect: before } = change;
  if ('remove' in change) return { path, before, after: null, staged: null };
  let like;
  if (mode !== undefined) {
    const { uid, gid } = lstatSync(file);
    like = { uid, gid, mode: withExecutableBits(mode, change.mode) };
  }
  writeNewFile(join(transaction, name), change.write, { mode: change.mode, like, durable });
  return { path, before, after: hashOf(change.write), staged: name };
}

/**
 * Keeps the file's permissions, except the executable bits. A program is executable for everyone who may read it. Any
 * other file is not executable.
 */
function withExecutableBits(mode: number, wanted: number): number {
  return (wanted & 0o111) === 0 ? mode & ~0o111 : mode | ((mode & 0o444) >> 2);
}

/** Lists the missing folders of the new files, parents first. */
function missingFolders(realRoot: string, steps: readonly Step[]): string[] {
  const removed = new Set(steps.filter(({ change }) => 'remove' in change).map(({ file }) => file));
  const missing = new Set<string>();
  for (const { change, file } of steps) {
    if ('remove' in change) continue;
    const needed: string[] = [];
    let folder = dirname(file);
    let found = lstatIfAny(folder);
    for (; found === undefined && !missing.has(folder); found = lstatIfAny(folder)) {
      needed.unshift(folder);
      folder = dirname(folder);
    }
    if (found === undefined || found.isDirectory()) for (const it of needed) missing.add(it);
    // The folder replaces a file that this commit removes, so it can be created only after the commit point.
    else if (!removed.has(folder)) {
      throw badInput(
        `${posix(realRoot, folder)} is a file, where ${change.path} needs a folder`,
        'move it away and run again',
      );
    }
  }
  return [...missing];
}

function posix(realRoot: string, place: string): string {
  return relative(realRoot, place).split(sep).join('/');
}

/**
 * Runs a step before the commit point.
 * @param doing the action and its file, for the error
 * @param action the step
 * @returns the result of the step
 * @throws SlipwayError with a note that nothing was changed, because the caller undoes what was staged
 */
export function whole<T>(doing: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw osFault(error, `${doing}, so nothing was changed`);
  }
}

/**
 * Undoes what was staged. It is safe to run again.
 * @param root the service's folder
 * @param folders paths of the folders created for new files, parents first
 */
export function rollBack(root: string, folders: readonly string[]): void {
  const transaction = transactionFolderOf(root);
  for (const folder of folders.toReversed()) removeIfEmpty(resolveInside(root, folder));
  removeJournal(transaction, false);
  removeIfEmpty(dirname(transaction));
}
