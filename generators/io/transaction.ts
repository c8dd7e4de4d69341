import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { badInput, exitCodes, SlipwayError } from '../engine/errors.ts';
import type { Change } from '../engine/model.ts';
import { makeFolder, removeIfEmpty } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { finish } from './finish.ts';
import { readJournal, transactionFolder, transactionFolderOf, writeJournal } from './journal.ts';
import type { Entry } from './journal.ts';
import { lstatIfAny } from './paths.ts';
import { expectUnchanged, inspect, rollBack, stage, whole } from './stage.ts';

/** What became of an interrupted commit. */
export interface Recovery {
  readonly outcome: 'finished' | 'rolled back';
  /** Files edited after the interruption, left as the user has them. */
  readonly kept: readonly string[];
}

/**
 * Changes many files, all or none, also when the process is killed or the power fails: every new content is written beside
 * the tree first; one atomic rename of a journal decides; renames and removals follow, and `recover` ends what they leave.
 * The caller holds the service's lock and has called `recover`.
 * @param root the service's folder
 * @param changes what to change; a new file gets the mode given, one that exists keeps its own, except that it becomes a
 *   program, or none
 * @param options `durable: false` leaves out the waiting for the disk, for a tree in which nothing is anybody's yet
 * @throws SlipwayError when a file is not as expected, read-only or unreachable, or the disk is full: nothing has changed
 */
export function commit(root: string, changes: readonly Change[], options: { readonly durable?: boolean } = {}): void {
  const durable = options.durable ?? true;
  if (changes.length === 0) return;
  for (const { path } of changes) assertNotOwn(path);
  const steps = inspect(root, changes);
  const transaction = begin(root);
  let entries: Entry[];
  let isDecided = false;
  try {
    entries = stage(root, steps, durable);
    // Once more, as late as possible: staging has taken a while.
    for (const change of changes) expectUnchanged(root, change);
    whole('cannot record the change', () =>
      writeJournal(transaction, { version: 1, state: 'committed', entries }, durable),
    );
    isDecided = true;
  } finally {
    if (!isDecided) undo(root);
  }
  const kept = finish(root, entries, durable);
  if (kept.length > 0) {
    throw new SlipwayError(
      exitCodes.failed,
      `edited while it was being changed, and left as you have it: ${kept.join(', ')}`,
      {
        hint: 'everything else has been changed; run the command again',
        details: { kept },
      },
    );
  }
}

/**
 * Ends what an interrupted commit has left: undoes it if it was not decided, finishes it if it was. May be killed and run
 * again. The caller holds the service's lock.
 * @param root the service's folder
 * @returns what was done; undefined when nothing was interrupted
 * @throws SlipwayError when the record is damaged, or the disk does not let it finish
 */
export function recover(root: string): Recovery | undefined {
  const transaction = transactionFolderOf(root);
  if (lstatIfAny(transaction) === undefined) {
    // A run killed right at its beginning leaves the folder empty.
    removeIfEmpty(dirname(transaction));
    return undefined;
  }
  const journal = readJournal(transaction);
  if (journal?.state === 'committed') return { outcome: 'finished', kept: finish(root, journal.entries, true) };
  try {
    rollBack(root, journal?.folders ?? []);
  } catch (error) {
    throw osFault(error, 'cannot undo an interrupted run');
  }
  return journal === undefined ? undefined : { outcome: 'rolled back', kept: [] };
}

/**
 * For commands that write nothing, and so cannot end an interrupted run.
 * @param root the service's folder, which need not exist
 * @throws SlipwayError when an interrupted run has left its work half done
 */
export function refuseInterrupted(root: string): void {
  if (isInterrupted(root)) throw interrupted();
}

/**
 * @param root a folder, which need not exist
 * @returns whether a run was interrupted there, and `recover` has something to end
 */
export function isInterrupted(root: string): boolean {
  return lstatIfAny(transactionFolderOf(root)) !== undefined;
}

function interrupted(): SlipwayError {
  return new SlipwayError(exitCodes.failed, `an earlier run was interrupted: its work is in ${transactionFolder}`, {
    hint: 'end it with: slipway doctor',
  });
}

function assertNotOwn(path: string): void {
  if (path === '.slipway/running.json' || path === transactionFolder || path.startsWith(`${transactionFolder}/`)) {
    throw badInput(`${path} is where Slipway keeps its own state`, 'give the file another path');
  }
}

/** Makes the transaction's folder, which must not be there. */
function begin(root: string): string {
  const transaction = transactionFolderOf(root);
  try {
    makeFolder(dirname(transaction));
    mkdirSync(transaction);
    return transaction;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw interrupted();
    removeIfEmpty(dirname(transaction));
    throw osFault(error, `cannot make ${transactionFolder}, so nothing was changed`);
  }
}

/** Undoes as much as can be; whatever resists is undone by the next run, and must not hide the first fault. */
function undo(root: string): void {
  try {
    recover(root);
  } catch {
    return;
  }
}
