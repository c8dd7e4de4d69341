import { manifestPath } from '../manifest.ts';
import type { DiskFile, Service, Side, Trio } from '../model.ts';
import { decode, encode, hasConflictMarkers } from '../text.ts';
import { chooseLock } from './choose.ts';
import { mapTrio } from './merge/align.ts';
import { withLf } from './merge/lineEnds.ts';
import { mergeText } from './merge/text.ts';

/** A service in the middle of a merge of Git: the common ancestor (`base`), ours (`yours`) and theirs. */
export interface Branches extends Omit<Trio<Service>, 'base'> {
  /** After a criss-cross merge there are two common ancestors, which have a common ancestor themselves. */
  readonly base: Service | Trio<Service>;
  /** The service on disk, as Git and the user left it. */
  readonly present: Service;
  /** The files that Git could not merge. */
  readonly unmerged: ReadonlySet<string>;
}

/** How far a person has resolved a file: not at all, partly, or completely. */
export type Progress = 'none' | 'begun' | 'resolved';

/** The three sides of a merge, for the plan. */
export interface Sides extends Trio<Service> {
  readonly progress: (path: string) => Progress;
}

/** The commits of a merge with one common ancestor, and the service on disk. */
export type PlainBranches = Branches & Trio<Service>;

/**
 * Prepares the three sides of a merge for the plan. A file that a person has resolved is the same on all of them.
 * @param branches the commits, and the service on disk
 * @param progressOf tells how far a person has resolved a file
 * @returns the sides; without a common ancestor, the base is an empty folder
 */
export function sidesOf(
  branches: PlainBranches,
  progressOf: (path: string, branches: PlainBranches) => Progress = progressOnDisk,
): Sides {
  const { present, base: ancestor } = branches;
  const trio = { ...branches, base: ancestor.manifestText === undefined ? emptied(ancestor) : ancestor };
  const known = new Map<string, Progress>();
  const progress = (path: string): Progress => {
    const found = known.get(path) ?? progressOf(path, branches);
    known.set(path, found);
    return found;
  };
  const isResolved = (path: string): boolean => progress(path) === 'resolved';
  const base = (hash: string): Uint8Array | undefined =>
    trio.yours.base(hash) ?? trio.theirs.base(hash) ?? trio.base.base(hash);
  // A side that has deleted the manifest still holds what Slipway wrote before.
  const locks = mapTrio(trio, ({ manifestText, lock }) => (manifestText === undefined ? trio.base.lock : lock));
  const lines = listOf(locks).map(({ catalogue, files }) => ({
    catalogue,
    records: Object.entries(files).map(([path, file]) => ({ ...file, path })),
    edited: [],
  }));
  const chosen = chooseLock(lines, { read: present.read, base, hash: present.hash });
  const resolved = Object.entries(chosen.files).filter(([path, { at }]) => isResolved(at ?? path));
  const sides = mapTrio(trio, (side, name): Service => ({
    ...side,
    manifestText: isResolved(manifestPath) ? present.manifestText : side.manifestText,
    lock: { ...locks[name], files: { ...locks[name].files, ...Object.fromEntries(resolved) } },
    read: (path) => (isResolved(path) ? present.read(path) : side.read(path)),
    base,
  }));
  return { ...sides, progress };
}

/**
 * @param trio one value for each side
 * @returns the values as a list
 */
export function listOf<Value>({ base, yours, theirs }: Trio<Value>): Value[] {
  return [base, yours, theirs];
}

function emptied(service: Service): Service {
  return { ...service, lock: { catalogue: '0.0.0', files: {} }, read: () => undefined, files: () => [] };
}

function progressOnDisk(path: string, branches: PlainBranches): Progress {
  // A person does not resolve Slipway's own state.
  if (isState(path)) return 'none';
  const onDisk = branches.present.read(path);
  const files = mapTrio(branches, (side) => side.read(path));
  const [text, texts] = [textOf(onDisk), mapTrio(files, textOf)];
  if (branches.unmerged.has(path)) {
    if (onDisk === undefined) return 'none';
    if (text !== undefined && hasConflictMarkers(text)) return hasOwnLines(text, texts) ? 'begun' : 'none';
    // Git leaves the file of one side where it cannot write markers.
    const isWhole = texts.yours === undefined || texts.theirs === undefined;
    return isWhole && (isSame(onDisk, files.yours) || isSame(onDisk, files.theirs)) ? 'none' : 'resolved';
  }
  const side = chosenSide(files, isSame);
  if (side !== undefined) return isSame(onDisk, files[side]) ? 'none' : 'resolved';
  if (text === undefined || texts.yours === undefined || texts.theirs === undefined) return 'resolved';
  const merged = mergeText(
    mapTrio(texts, (its) => withLf(its ?? '')),
    'markers',
  );
  return merged.conflicts.length === 0 && merged.text === withLf(text) ? 'none' : 'resolved';
}

/**
 * Merges three services by lines, as Git does. Of a conflict, it keeps yours.
 * @param sides the services
 * @returns a service in memory, without a store
 */
export function mergedByLine(sides: Trio<Service>): Service {
  const { hash, outdated } = sides.yours;
  const read = (path: string): DiskFile | undefined => {
    const files = mapTrio(sides, (side) => side.read(path));
    const side = chosenSide(files, isSame);
    if (side !== undefined) return files[side];
    const { base = '', yours, theirs } = mapTrio(files, textOf);
    if (yours === undefined || theirs === undefined || files.yours === undefined) return files.yours ?? files.theirs;
    const bytes = encode(mergeText({ base, yours, theirs }, 'ours').text);
    return { ...files.yours, bytes, hash: hash(bytes) };
  };
  const paths = [...new Set(listOf(sides).flatMap(({ files }) => files()))].sort();
  return {
    manifestText: textOf(read(manifestPath)),
    lock: { catalogue: '', files: {} },
    read,
    base: () => undefined,
    files: () => paths.filter((path) => read(path) !== undefined),
    outdated,
    hash,
  };
}

/** Whether a text with conflict markers contains a line that no side has. */
function hasOwnLines(text: string, sides: Trio<string | undefined>): boolean {
  const known = new Set(listOf(sides).flatMap((side) => withLf(side ?? '').split('\n')));
  return withLf(text)
    .split('\n')
    .some((line) => !known.has(line) && !/^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/.test(line));
}

/**
 * Chooses the side of a three-way merge that needs no merge.
 * @param values one for each side
 * @param areSame whether two values are the same
 * @returns the side whose value is the result; undefined when both sides changed it differently
 */
export function chosenSide<Value>(
  { base, yours, theirs }: Trio<Value>,
  areSame: (some: Value, other: Value) => boolean,
): Side | undefined {
  if (areSame(yours, theirs) || areSame(base, theirs)) return 'yours';
  return areSame(base, yours) ? 'theirs' : undefined;
}

/**
 * @param some a file, or undefined for none
 * @param other a file, or undefined for none
 * @returns whether both have the same content; the line ends of texts do not count
 */
export function isSame(some: DiskFile | undefined, other: DiskFile | undefined): boolean {
  if (some?.hash === other?.hash) return true;
  const [text, otherText] = [textOf(some), textOf(other)];
  return text !== undefined && otherText !== undefined && withLf(text) === withLf(otherText);
}

/**
 * @param file of a service, or undefined for none
 * @returns its text; undefined when it is not text
 */
export function textOf(file: DiskFile | undefined): string | undefined {
  return file === undefined ? undefined : decode(file.bytes);
}

/**
 * @param path of a file
 * @returns whether it is in Slipway's own folder
 */
export function isState(path: string): boolean {
  return path.startsWith('.slipway/');
}

/**
 * Renames the markers of a merge: the conflict is between two people and not between a person and Slipway.
 * @param text with the markers of Slipway's merges
 * @param labels the names of `yours` and of `theirs`
 * @returns the text with these names at the markers
 */
export function labelled(text: string, [yours, theirs]: readonly [string, string] = ['ours', 'theirs']): string {
  return text.replaceAll(/^<{7} yours$/gm, `<<<<<<< ${yours}`).replaceAll(/^>{7} slipway$/gm, `>>>>>>> ${theirs}`);
}
