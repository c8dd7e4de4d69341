import { renameSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { badInput, type SlipwayError } from '../engine/errors.ts';
import { isObject } from '../engine/json.ts';
import { encode } from '../engine/text.ts';
import { readRegularFile, syncFolder, writeNewFile } from './disk.ts';
import { osFault } from './faults.ts';
import { assertSafePath, lstatIfAny, realRootOf } from './paths.ts';

/** The folder of staged files, relative to the service's root. */
export const transactionFolder = '.slipway/tx';

/** The change of one file after the commit is decided. */
export interface Entry {
  readonly path: string;
  /** SHA-256 of the file when the plan was made; null when it did not exist. */
  readonly before: string | null;
  /** SHA-256 of the file after the commit; null when it is removed. */
  readonly after: string | null;
  /** Name of the staged file beside the journal; null when the file is removed. */
  readonly staged: string | null;
}

/**
 * Ties a journal to the run that wrote it. A journal that was committed, copied or unpacked is not replayed, because it
 * may come from anyone, and the inode of its folder on another machine cannot be known before.
 */
interface Origin {
  readonly host: string;
  /** Inode of the transaction's folder, in decimal digits. */
  readonly folder: string;
}

function originOf(folder: string): Origin {
  return { host: hostname(), folder: String(statSync(folder, { bigint: true }).ino) };
}

/** The record of one commit. Before the commit point it says what to undo, after it what to finish. */
export type Journal =
  | { readonly version: 1; readonly state: 'preparing'; /** made, parents first */ readonly folders: readonly string[] }
  | { readonly version: 1; readonly state: 'committed'; readonly entries: readonly Entry[] };

/**
 * @param root the service's folder
 * @returns the absolute path of the transaction's folder, which need not exist
 * @throws SlipwayError bad input when it or its parent is not a folder: its content gets deleted
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
 * Replaces the journal atomically. Only this run writes in the folder, because it has created the folder. Writing a
 * journal in state `committed` is the commit point.
 * @param folder absolute path of the transaction's folder
 * @param journal the new content
 * @param durable whether it must survive a power cut
 */
export function writeJournal(folder: string, journal: Journal, durable: boolean): void {
  writeNewFile(join(folder, draft), encode(`${JSON.stringify({ ...journal, ...originOf(folder) })}\n`), {
    mode: 0o600,
    durable,
  });
  renameSync(join(folder, draft), join(folder, name));
}

/**
 * @param folder absolute path of the transaction's folder
 * @returns its journal; undefined when there is none: nothing was started, or everything is done
 * @throws SlipwayError bad input when it is damaged or was manipulated
 */
export function readJournal(folder: string): Journal | undefined {
  const path = `${transactionFolder}/${name}`;
  try {
    const found = readRegularFile(join(folder, name), { name: path, follow: false });
    return found && parseJournal(new TextDecoder().decode(found.bytes), originOf(folder));
  } catch (error) {
    throw osFault(error, `cannot read ${path}`);
  }
}

/**
 * Marks a commit as done.
 * @param folder absolute path of the transaction's folder; it is removed with its journal
 * @param durable whether the removal must survive a power cut
 */
export function removeJournal(folder: string, durable: boolean): void {
  rmSync(join(folder, name), { force: true });
  if (durable) syncFolder(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * @param text the journal from disk; its content is not trusted
 * @param origin where it lies
 * @returns the journal, with safe paths and safe names only
 * @throws SlipwayError bad input with the reason
 */
function parseJournal(text: string, { host, folder }: Origin): Journal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged('it is not JSON');
  }
  if (!isObject(value)) throw damaged('it is not an object');
  if (value['version'] !== 1) throw damaged('its version is not 1');
  if (value['host'] !== host || value['folder'] !== folder) throw foreign();
  if (value['state'] === 'preparing')
    return { version: 1, state: 'preparing', folders: listIn(value, 'folders', toPath) };
  if (value['state'] === 'committed')
    return { version: 1, state: 'committed', entries: listIn(value, 'entries', toEntry) };
  throw damaged('its state is unknown');
}

/**
 * @param why what is wrong with the record of an interrupted commit
 * @returns the error, with a hint how to recover
 */
export function damaged(why: string): SlipwayError {
  return badInput(
    `an earlier run was interrupted, and its record in ${transactionFolder} is damaged: ${why}`,
    `look at what is half done (git status, git diff) and restore it, then delete ${transactionFolder}`,
  );
}

function foreign(): SlipwayError {
  return badInput(
    `${transactionFolder} holds the record of a run in another copy of this service: it is not replayed`,
    `delete ${transactionFolder}; if it was committed, see that it is not part of the repository (git rm -r ${transactionFolder})`,
  );
}

function listIn<T>(journal: Readonly<Record<string, unknown>>, key: string, convert: (value: unknown) => T): T[] {
  const list = journal[key];
  if (!Array.isArray(list)) throw damaged(`"${key}" is not a list`);
  return list.map(convert);
}

function toPath(value: unknown): string {
  if (typeof value !== 'string') throw damaged('a path is not text');
  assertSafePath(value);
  return value;
}

function toHash(value: unknown): string | null {
  if (value === null || (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value))) return value;
  throw damaged('a hash is not a hash');
}

function toEntry(value: unknown): Entry {
  if (!isObject(value)) throw damaged('an entry is not an object');
  const { before, after, path, staged } = value;
  const isName = typeof staged === 'string' && /^\d+$/.test(staged);
  if (after === null ? staged !== null : !isName) throw damaged('a staged file has no number for a name');
  return { path: toPath(path), before: toHash(before), after: toHash(after), staged: isName ? staged : null };
}
