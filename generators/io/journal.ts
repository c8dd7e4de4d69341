import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { badInput } from '../engine/errors.ts';
import type { SlipwayError } from '../engine/errors.ts';
import { readRegularFile, syncFolder, writeNewFile } from './disk.ts';
import { osFault } from './faults.ts';
import { assertSafePath, lstatIfAny, realRootOf } from './paths.ts';

/** Where a commit stages its files, relative to the service's root. */
export const transactionFolder = '.slipway/tx';

/** What happens to one file once the commit is decided. */
export interface Entry {
  readonly path: string;
  /** SHA-256 of what the plan saw; null: nothing. */
  readonly before: string | null;
  /** SHA-256 of what is to be there; null: nothing. */
  readonly after: string | null;
  /** Name of the staged file beside the journal; null when the file is to be removed. */
  readonly staged: string | null;
}

/** The record of one commit: before the commit point what to undo, after it what to finish. */
export type Journal =
  | { readonly version: 1; readonly state: 'preparing'; /** made, parents first */ readonly folders: readonly string[] }
  | { readonly version: 1; readonly state: 'committed'; readonly entries: readonly Entry[] };

/**
 * @param root the service's folder
 * @returns the absolute path of the transaction's folder, whether it exists or not
 * @throws SlipwayError bad input when it, or the folder it is in, is something else: what lies in it gets deleted
 */
export function transactionFolderOf(root: string): string {
  const home = join(realRootOf(root), '.slipway');
  for (const [path, place] of [
    ['.slipway', home],
    [transactionFolder, join(home, 'tx')],
  ] as const) {
    const stat = lstatIfAny(place);
    if (stat !== undefined && !stat.isDirectory()) {
      throw badInput(`${path} is not a folder`, 'move it away and run the command again');
    }
  }
  return join(home, 'tx');
}

const name = 'journal.json';
const draft = 'journal.new';

/**
 * Replaces the journal atomically. Only this run writes in the folder, which it has made itself. Writing one in state `committed` is the commit point.
 * @param folder absolute path of the transaction's folder
 * @param journal what it is to say
 * @param durable whether it must survive a power cut
 */
export function writeJournal(folder: string, journal: Journal, durable: boolean): void {
  writeNewFile(join(folder, draft), new TextEncoder().encode(`${JSON.stringify(journal)}\n`), { mode: 0o600, durable });
  renameSync(join(folder, draft), join(folder, name));
}

/**
 * @param folder absolute path of the transaction's folder
 * @returns its journal; undefined when there is none: nothing was begun, or everything is done
 * @throws SlipwayError bad input when it is damaged or was tampered with
 */
export function readJournal(folder: string): Journal | undefined {
  const path = `${transactionFolder}/${name}`;
  try {
    const found = readRegularFile(join(folder, name), { name: path, follow: false });
    return found && parseJournal(new TextDecoder().decode(found.bytes));
  } catch (error) {
    throw osFault(error, `cannot read ${path}`);
  }
}

/**
 * Declares a commit done.
 * @param folder absolute path of the transaction's folder, which goes with its journal
 * @param durable whether that must survive a power cut
 */
export function removeJournal(folder: string, durable: boolean): void {
  rmSync(join(folder, name), { force: true });
  if (durable) syncFolder(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * @param text the journal as found on disk; anybody may have written it
 * @returns the journal, each of its paths safe and each of its names harmless
 * @throws SlipwayError bad input saying what is wrong
 */
export function parseJournal(text: string): Journal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged('it is not JSON');
  }
  if (!isRecord(value)) throw damaged('it is not an object');
  if (value['version'] !== 1) throw damaged(`its version is ${JSON.stringify(value['version'])}, not 1`);
  if (value['state'] === 'preparing')
    return { version: 1, state: 'preparing', folders: listIn(value, 'folders', toPath) };
  if (value['state'] === 'committed')
    return { version: 1, state: 'committed', entries: listIn(value, 'entries', toEntry) };
  throw damaged(`its state is ${JSON.stringify(value['state'])}`);
}

/**
 * @param why what is wrong with the record of an interrupted commit
 * @returns the error that tells the user how to get out of it
 */
export function damaged(why: string): SlipwayError {
  return badInput(
    `an earlier run was interrupted, and its record in ${transactionFolder} is damaged: ${why}`,
    `look at what is half done (git status, git diff) and restore it, then delete ${transactionFolder}`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listIn<T>(journal: Readonly<Record<string, unknown>>, key: string, convert: (value: unknown) => T): T[] {
  const list = journal[key];
  if (!Array.isArray(list)) throw damaged(`"${key}" is not a list`);
  return list.map(convert);
}

function toPath(value: unknown): string {
  if (typeof value !== 'string') throw damaged(`${JSON.stringify(value)} is not a path`);
  assertSafePath(value);
  return value;
}

function toHash(value: unknown): string | null {
  if (value === null || (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value))) return value;
  throw damaged(`${JSON.stringify(value)} is not a hash`);
}

function toEntry(value: unknown): Entry {
  if (!isRecord(value)) throw damaged(`${JSON.stringify(value)} is not an entry`);
  const { before, after, path, staged } = value;
  const isName = typeof staged === 'string' && /^\d+$/.test(staged);
  if (after === null ? staged !== null : !isName) throw damaged(`${JSON.stringify(staged)} is not a staged file`);
  return { path: toPath(path), before: toHash(before), after: toHash(after), staged: isName ? staged : null };
}
