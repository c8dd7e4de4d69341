import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { exitCodes } from './engine/errors.ts';
import { fieldOf } from './engine/json.ts';
import type { Change, PlanEntry } from './engine/model.ts';
import { isOwn } from './engine/reconcile/lock.ts';
import { encode } from './engine/text.ts';
import { readRegularFile, removeFile, replaceFile, writeNewFile } from './io/disk.ts';
import { codeOf, osFault } from './io/faults.ts';
import { realRootOf } from './io/paths.ts';
import { commit } from './io/transaction.ts';
import { hashOf, readFileInside } from './io/tree.ts';
import { planDocument } from './report/document.ts';

/** The plan that takes back the last run in a service. */
export interface LastRun {
  /** The command of that run. */
  readonly command: string;
  /** The plan, as `slipway plan --json` prints plans. */
  readonly text: string;
}

/**
 * The folder of the records. It is outside the service: a record is not committed, and a stranger cannot bring one.
 * @returns its absolute path: `$XDG_STATE_HOME/slipway` (XDG Base Directory Specification), on Windows `%LOCALAPPDATA%\slipway`
 */
function recordsFolder(): string {
  const { XDG_STATE_HOME: state = '', LOCALAPPDATA: local = '' } = process.env;
  const [given, usual] = process.platform === 'win32' ? [local, ['AppData', 'Local']] : [state, ['.local', 'state']];
  return path.join(path.isAbsolute(given) ? given : path.join(os.homedir(), ...usual), 'slipway');
}

/** The max length of a file's name that every system allows, less the endings. */
const longestName = 240;

/** The record is named after the folder of the service, so that it can be deleted when the folder does not exist any more. */
function recordOf(root: string): string {
  const folder = realRootOf(root);
  const name = encodeURIComponent(folder);
  return path.join(recordsFolder(), `${name.length > longestName ? hashOf(encode(folder)) : name}${ending}`);
}

const ending = '.json';

/**
 * Makes the changes of a run, and records how to take them back.
 * @param root the service's folder; the caller holds its lock
 * @param changes the changes of the run
 * @param command the command of the run
 * @returns a note when the run cannot be recorded
 * @throws SlipwayError when the changes cannot be made; the earlier record stays then
 */
export function commitRun(root: string, changes: readonly Change[], command: string): string[] {
  const inverse = inverseOf(root, changes);
  const record = recordOf(root);
  const draft = `${record}.new`;
  const prepared = { ...inverse, before: () => undefined };
  const document = planDocument(prepared, {
    command,
    applied: false,
    notes: [],
    next: [],
    left: [],
    exitCode: exitCodes.done,
  });
  try {
    mkdirSync(path.dirname(record), { recursive: true, mode: 0o700 });
    sweep(path.dirname(record));
    removeFile(draft);
    writeNewFile(draft, encode(JSON.stringify(document)), { mode: 0o600, durable: false });
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    commit(root, changes);
    const fault = osFault(error, `cannot write ${record}`);
    return [`slipway undo cannot take back this run: ${fault instanceof Error ? fault.message : ''}`];
  }
  try {
    commit(root, changes);
    replaceFile(draft, record);
    return [];
  } finally {
    removeFile(draft);
  }
}

/**
 * @param root the service's folder
 * @returns the plan that takes back the last run; undefined when there is no record
 * @throws SlipwayError (exit code 2) when the record cannot be read
 */
export function lastRun(root: string): LastRun | undefined {
  const record = recordOf(root);
  try {
    const found = readRegularFile(record, { name: record, follow: false });
    if (found === undefined) return undefined;
    const text = found.bytes.toString();
    return { text, command: String(fieldOf(JSON.parse(text), 'command')) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw osFault(error, `cannot read ${record}`, exitCodes.badInput);
  }
}

/** Returns the plan that restores the files as they are now, once the changes are made. */
function inverseOf(root: string, changes: readonly Change[]): { entries: PlanEntry[]; changes: Change[] } {
  const inverse = changes.map((change): Change => {
    const { path: file } = change;
    const present = readFileInside(root, file);
    const expect = 'write' in change ? hashOf(change.write) : null;
    return present === undefined
      ? { path: file, expect, remove: true }
      : { path: file, expect, write: present.bytes, mode: present.mode };
  });
  const entries = inverse
    .filter((change) => 'remove' in change || !isOwn(change.path))
    .map((change): PlanEntry => {
      const action = 'remove' in change ? 'delete' : change.expect === null ? 'create' : 'update';
      return { path: change.path, action, module: '', reason: '', conflicts: [], changes: [change] };
    });
  return { entries, changes: inverse };
}

/** Deletes the records of services that do not exist any more. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const root = rootOf(name);
    if (path.isAbsolute(root) && !existsSync(root)) removeFile(path.join(folder, name));
  }
}

/** Returns the folder of the service that a record is for; empty for a file of someone else. */
function rootOf(name: string): string {
  try {
    return name.endsWith(ending) ? decodeURIComponent(name.slice(0, -ending.length)) : '';
  } catch {
    return '';
  }
}
