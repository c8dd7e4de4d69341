import { badInput, type ExitCode } from '../engine/errors.ts';
import { fieldOf, parseUntrusted } from '../engine/json.ts';
import { type Action, actions, type Change, type PlanEntry } from '../engine/model.ts';
import { isOfOldStore, isOwn, refuseReserved } from '../engine/reconcile/lock.ts';
import { decode, encode } from '../engine/text.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';
import { fewOf } from '../engine/suggest.ts';
import { assertSafePath } from '../io/paths.ts';
import type { Left } from './left.ts';
import { quoted } from './visible.ts';

/** The version of the document that `--json` prints. */
const version = 1;

interface Told {
  readonly command: string;
  readonly applied: boolean;
  readonly notes: readonly string[];
  /** What the user has to know or do next. */
  readonly next: readonly string[];
  /** Conflicts that are left to the user. */
  readonly left: readonly Left[];
  /** The versions of the catalogue before and after, when they differ. */
  readonly catalogue?: { readonly from: string; readonly to: string };
  readonly exitCode: ExitCode;
  /** A failure after the files were written. */
  readonly error?: { readonly message: string; readonly hint: string | undefined };
}

/** A change in JSON. */
type ChangeDocument =
  | { readonly path: string; readonly expect: string | null; readonly remove: true }
  | {
      readonly path: string;
      readonly expect: string | null;
      readonly mode: number;
      readonly encoding: 'utf8' | 'base64';
      readonly content: string;
    };

/** An entry in JSON. */
type EntryDocument = Omit<PlanEntry, 'changes'> & {
  /** The former path of a moved file. */
  readonly from?: string;
};

/**
 * @param prepared a plan
 * @param told the outcome
 * @returns the document of `--json`; a plan that was not carried out includes its changes, for `slipway apply`
 */
export function planDocument({ entries, changes }: Prepared, told: Told): Record<string, unknown> {
  const rows = entries.map(({ path, action, module, reason, conflicts, changes: own }): EntryDocument => {
    const from = own.find((change) => change.path !== path)?.path;
    return { path, ...(from !== undefined && { from }), action, module, reason, conflicts };
  });
  return { plan: version, ...told, entries: rows, ...(told.applied ? {} : { changes: changes.map(changeDocument) }) };
}

function changeDocument(change: Change): ChangeDocument {
  if ('remove' in change) return change;
  const { path, expect, mode, write } = change;
  const text = decode(write);
  return text === undefined
    ? { path, expect, mode, encoding: 'base64', content: toBase64(write) }
    : { path, expect, mode, encoding: 'utf8', content: text };
}

/**
 * Reads a plan that `--json` printed. The plan may have been edited, so everything is checked.
 * @param text the document
 * @param name the user's name of the document, for errors
 * @returns the plan
 * @throws SlipwayError (exit code 2) when it is not a plan, has conflicts, leads out of the service, or has changes
 * that it does not show
 */
export function parsePlan(text: string, name: string): Pick<Prepared, 'entries' | 'changes'> {
  const document = parseUntrusted(text, name, remake);
  if (fieldOf(document, 'plan') !== version) throw badInput(`${name} is not a plan of version ${version}`, remake);
  const [entries, changes] = [fieldOf(document, 'entries'), fieldOf(document, 'changes')];
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw badInput(`${name} holds no plan entries`, remake);
  if (entries.some((entry) => entry.action === 'conflict')) {
    throw badInput(`${name} has conflicts`, 'make it again with --conflict=ours, theirs or markers');
  }
  if (!Array.isArray(changes) || !changes.every(isChange)) throw badInput(`${name} holds no changes`, remake);
  const read = changes.map(readChange);
  return { entries: showing(entries, read, name), changes: read };
}

/**
 * Assigns each change to the entry that shows it. A plan therefore does exactly what it shows.
 * @throws SlipwayError (exit code 2) when an entry differs from its changes, or a change has no entry
 */
function showing(entries: readonly EntryDocument[], changes: readonly Change[], name: string): PlanEntry[] {
  const left = new Map(changes.map((change) => [change.path, change]));
  const twice = changes.find((change) => left.get(change.path) !== change)?.path;
  if (twice !== undefined) throw badInput(`${name} changes ${quoted(twice)} twice`, remake);
  const take = (path: string | undefined): Change[] => {
    const found = path === undefined ? undefined : left.get(path);
    if (found !== undefined) left.delete(found.path);
    return found === undefined ? [] : [found];
  };
  const shown = entries.map(({ from, ...entry }) => {
    const [gone, put] = [take(from), take(entry.path)];
    if (!does(entry.action, put[0], from === undefined ? undefined : (gone[0] ?? null))) {
      throw badInput(
        `${name} says ${quoted(`${entry.action} ${entry.path}`)}, and its changes do something else`,
        remake,
      );
    }
    return { ...entry, changes: [...gone, ...put] };
  });
  const hidden = [...left.values()].filter((change) => !isBookkeeping(change)).map(({ path }) => quoted(path));
  if (hidden.length > 0) throw badInput(`${name} changes what its entries do not show: ${fewOf(hidden)}`, remake);
  return shown;
}

/**
 * Whether changes do what an entry says.
 * @param gone the change at the file's former path; undefined when the file does not move, null when there is no such
 * change
 */
function does(action: Action, put: Change | undefined, gone: Change | null | undefined): boolean {
  const isWritten = put !== undefined && 'write' in put;
  const moves = gone !== undefined;
  if (moves && !(isWritten && gone !== null && 'remove' in gone)) return false;
  const untouched = put === undefined && !moves;
  const what: Readonly<Record<Action, boolean>> = {
    create: isWritten && put.expect === null && !moves,
    update: isWritten,
    merge: isWritten,
    delete: put !== undefined && !isWritten,
    adopt: untouched,
    keep: untouched,
    conflict: untouched,
  };
  return what[action];
}

/** Slipway's own files have no entry. Of these, a plan may remove only the files of an old store. */
function isBookkeeping(change: Change): boolean {
  return 'write' in change ? isOwn(change.path) : isOfOldStore(change.path);
}

const remake = 'make it with: slipway plan <command> --json';

function readChange(change: ChangeDocument): Change {
  assertSafePath(change.path);
  refuseReserved(change.path);
  if ('remove' in change) return { path: change.path, expect: change.expect, remove: true };
  const write = change.encoding === 'utf8' ? encode(change.content) : fromBase64(change.content);
  return { path: change.path, expect: change.expect, mode: change.mode, write };
}

function isEntry(value: unknown): value is EntryDocument {
  const texts = ['path', 'module', 'reason'].map((key) => fieldOf(value, key));
  return (
    // A line end would let an entry look like two.
    texts.every((text) => typeof text === 'string' && !/[\r\n]/.test(text)) &&
    ['string', 'undefined'].includes(typeof fieldOf(value, 'from')) &&
    actions.some((action) => action === fieldOf(value, 'action')) &&
    Array.isArray(fieldOf(value, 'conflicts'))
  );
}

function isChange(value: unknown): value is ChangeDocument {
  const expect = fieldOf(value, 'expect');
  if (typeof fieldOf(value, 'path') !== 'string') return false;
  if (expect !== null && !(typeof expect === 'string' && /^[0-9a-f]{64}$/.test(expect))) return false;
  const [remove, encoding] = [fieldOf(value, 'remove'), fieldOf(value, 'encoding')];
  if (remove !== undefined) return remove === true;
  return (
    isMode(fieldOf(value, 'mode')) &&
    (encoding === 'utf8' || encoding === 'base64') &&
    typeof fieldOf(value, 'content') === 'string'
  );
}

/** Allows permission bits only. A plan cannot set the set-user-id bit. */
function isMode(mode: unknown): boolean {
  return Number.isInteger(mode) && Number(mode) >= 0 && Number(mode) <= 0o777;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
