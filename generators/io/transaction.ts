import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { exitCodes, SlipwayError } from '../engine/errors.ts';
import type { Change } from '../engine/model.ts';
import { refuseReserved } from '../engine/reconcile/lock.ts';
import { fewOf } from '../engine/suggest.ts';
import { makeFolder, removeIfEmpty } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { finish } from './finish.ts';
import { readJournal, transactionFolder, transactionFolderOf, writeJournal } from './journal.ts';
import type { Entry } from './journal.ts';
import { lstatIfAny } from './paths.ts';
import { expectUnchanged, inspect, rollBack, stage, whole } from './stage.ts';

/** The outcome of the recovery of an interrupted commit. */
export interface Recovery {
  readonly outcome: 'finished' | 'rolled back';
  /** The files of the commit that was finished. */
  readonly files: readonly string[];
  /** Files that the user edited after the interruption. They are not changed. */
  readonly kept: readonly string[];
}

/**
 * Changes many files, all or none, even when the process is killed or the power fails. All new content is staged
 * first. One atomic rename of a journal is the commit point. Renames and removals follow, and `recover` completes
 * them after an interruption. The caller holds the service's lock and has called `recover`.
 * @param root the service's folder
 * @param changes the changes; a new file gets the given mode, an existing file keeps its own except for the
 * executable bits
 * @param options `durable: false` does not wait for the disk, for a tree that has no user data yet
 * @throws SlipwayError when a file is not as expected, read-only or unreachable, or the disk is full; nothing has
 * changed then
 */
export function commit(root: string, changes: readonly Change[], options: { readonly durable?: boolean } = {}): void {
  const durable = options.durable ?? true;
  if (changes.length === 0) return;
  for (const { path } of changes) refuseReserved(path);
  const steps = inspect(root, changes);
  const transaction = begin(root);
  let entries: Entry[];
  let isDecided = false;
  try {
    entries = stage(root, steps, durable);
    // Checked again as late as possible, because staging takes a while.
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
 * Completes an interrupted commit: undoes it when it was not decided, finishes it when it was. It may be killed and
 * run again. The caller holds the service's lock.
 * @param root the service's folder
 * @returns the outcome; undefined when nothing was interrupted
 * @throws SlipwayError when the record is damaged, or writing fails
 */
export function recover(root: string): Recovery | undefined {
  const transaction = transactionFolderOf(root);
  if (lstatIfAny(transaction) === undefined) {
    // A run that was killed at its very start leaves the folder empty.
    removeIfEmpty(dirname(transaction));
    return undefined;
  }
  const journal = readJournal(transaction);
  if (journal?.state === 'committed') {
    const files = journal.entries.map(({ path }) => path);
    return { outcome: 'finished', files, kept: finish(root, journal.entries, true) };
  }
  try {
    rollBack(root, journal?.folders ?? []);
  } catch (error) {
    throw osFault(error, 'cannot undo an interrupted run');
  }
  return journal === undefined ? undefined : { outcome: 'rolled back', files: [], kept: [] };
}

/**
 * @param recovery the outcome of `recover`
 * @returns what to tell the user; empty when nothing was interrupted
 */
export function recoveryNotes(recovery: Recovery | undefined): string[] {
  if (recovery === undefined) return [];
  const { outcome, files, kept } = recovery;
  return [
    `an interrupted run was ${outcome}${files.length === 0 ? '' : `: ${fewOf(files)}`}`,
    ...kept.map((file) => `${file} was edited after an interrupted run: yours is kept`),
  ];
}

/**
 * Refuses to continue after an interrupted run. Commands that write nothing call it, because they cannot recover.
 * @param root the service's folder, which need not exist
 * @throws SlipwayError when an interrupted run is not recovered yet
 */
export function refuseInterrupted(root: string): void {
  if (isInterrupted(root)) throw interrupted();
}

/**
 * @param root a folder, which need not exist
 * @returns whether a run was interrupted there, so that `recover` has work to do
 */
export function isInterrupted(root: string): boolean {
  return lstatIfAny(transactionFolderOf(root)) !== undefined;
}

function interrupted(): SlipwayError {
  return new SlipwayError(exitCodes.failed, `an earlier run was interrupted: its work is in ${transactionFolder}`, {
    hint: 'end it with: slipway doctor',
  });
}

/** Creates the transaction's folder, which must not exist. */
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

/** Undoes as much as possible. An error here is ignored, so that it does not hide the first one; the next run undoes the rest. */
function undo(root: string): void {
  try {
    recover(root);
  } catch {
    return;
  }
}
