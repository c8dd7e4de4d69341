import { lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { SlipwayError } from '../engine/errors.ts';
import { readRegularFile, removeEmptyUpTo, removeFile, removeIfEmpty, replaceFile, syncFolder } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { damaged, removeJournal, transactionFolderOf } from './journal.ts';
import type { Entry } from './journal.ts';
import { lstatIfAny, realRootOf, resolveInside } from './paths.ts';
import { hashOf, readFileInside } from './tree.ts';

/**
 * Completes a decided commit. It can be killed at any point and run again: an entry is done when its staged file is
 * gone. A staged file is gone only when it was moved to its target, or removed because the user has edited the
 * target.
 * @param root the service's folder
 * @param entries the journal's entries
 * @param durable whether the result must survive a power cut before the journal is removed
 * @returns paths of the files that were edited after the commit point; these files are not changed
 */
export function finish(root: string, entries: readonly Entry[], durable: boolean): string[] {
  const transaction = transactionFolderOf(root);
  // All staged files are checked first. Damage to one stops the commit before any file changes, because it cannot be
  // repaired here.
  const waiting = new Set(entries.filter((entry) => isWaiting(transaction, entry)));
  if (durable) attempt('cannot record the change', () => syncFolder(transaction));
  const kept: string[] = [];
  const done: Entry[] = [];
  // Removals come first: a removed file may make room for a folder of the same name.
  for (const entry of entries.toSorted((a, b) => Number(a.staged !== null) - Number(b.staged !== null))) {
    const isKept = attempt(`cannot put ${entry.path} in place`, () =>
      entry.staged === null
        ? removeEntry(root, entry)
        : writeEntry(root, entry, join(transaction, entry.staged), waiting.has(entry)),
    );
    if (isKept) kept.push(entry.path);
    else done.push(entry);
  }
  attempt('cannot complete the change', () => settle(root, done, durable));
  attempt('cannot clean up', () => removeJournal(transaction, durable));
  removeIfEmpty(dirname(transaction));
  return kept.toSorted();
}

/** Whether an entry's staged file is still to be moved to its target. */
function isWaiting(transaction: string, { path, after, staged }: Entry): boolean {
  if (staged === null) return false;
  const name = `what is staged for ${path}`;
  const found = attempt(`cannot read ${name}`, () =>
    readRegularFile(join(transaction, staged), { name, follow: false }),
  );
  if (found !== undefined && hashOf(found.bytes) !== after) throw damaged(`${name} is not what was written`);
  return found !== undefined;
}

/** @returns whether the user's version was kept */
function writeEntry(root: string, { path, before, after }: Entry, staged: string, isStaged: boolean): boolean {
  const present = presentState(root, path);
  if (!isStaged) return present !== after;
  if (present !== before) {
    removeFile(staged);
    return present !== after;
  }
  const target = resolveInside(root, path);
  try {
    replaceFile(staged, target);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    // The folder may have been removed since, or a file of its name, removed by now, prevented its creation.
    mkdirSync(dirname(target), { recursive: true });
    replaceFile(staged, target);
  }
  return false;
}

/** @returns whether the user's version was kept */
function removeEntry(root: string, { path, before }: Entry): boolean {
  const present = presentState(root, path);
  if (present === null || present === aFolder) return false;
  if (present !== before) return true;
  removeFile(resolveInside(root, path));
  return false;
}

const aFolder = 'a folder';
const somethingElse = 'something else';

/** The state of a target path: the hash of the file, null when it does not exist, or a word for anything else. */
function presentState(root: string, path: string): string | null {
  let file: string;
  try {
    file = resolveInside(root, path);
  } catch (error) {
    // A link that leads out of the service, or nowhere, was put there after the plan was made.
    if (error instanceof SlipwayError && error.details['code'] === undefined) return somethingElse;
    throw error;
  }
  const stat = lstatIfAny(file);
  if (stat === undefined) return null;
  if (stat.isDirectory()) return aFolder;
  return stat.isFile() ? (readFileInside(root, path)?.hash ?? null) : somethingElse;
}

/** Removes the folders that lost their last file. With `durable`, makes the renames and removals survive a power cut. */
function settle(root: string, entries: readonly Entry[], durable: boolean): void {
  const realRoot = realRootOf(root);
  const parents = new Set<string>();
  for (const { path, staged } of entries) {
    const parent = dirname(resolveInside(root, path));
    // A folder reached through a link is kept, because the link would lead nowhere.
    if (staged === null && parent === dirname(join(realRoot, path))) removeEmptyUpTo(parent, realRoot);
    parents.add(parent);
  }
  if (!durable) return;
  for (let parent of parents) {
    while (lstatIfAny(parent) === undefined) parent = dirname(parent);
    if (lstatSync(parent).isDirectory()) syncFolder(parent);
  }
}

function attempt<T>(doing: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const fault = osFault(error, doing);
    if (!(fault instanceof SlipwayError)) throw fault;
    throw new SlipwayError(fault.exitCode, fault.message, {
      hint: [fault.hint, 'the change is recorded in .slipway/tx: the next run completes it']
        .filter((it) => it !== undefined)
        .join('; '),
      details: fault.details,
      cause: fault,
    });
  }
}
