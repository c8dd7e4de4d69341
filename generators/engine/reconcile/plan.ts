import { isIn } from '../names.ts';
import type { Change, DiskFile, FileSet, Lock, LockedFile, Plan, PlanEntry, RenderedFile } from '../model.ts';
import { decode, encode } from '../text.ts';
import { decide, type DecideContext, type Decision, type Situation } from './decide.ts';
import { findMoved } from './moves.ts';

/** A service as it is on disk. */
export interface Yours {
  /** A file's content; undefined when it is not there. */
  readonly read: (path: string) => DiskFile | undefined;
  /** The user's text files that Slipway did not write: asked for only when one of Slipway's is missing. */
  readonly untracked: () => ReadonlyMap<string, string>;
}

export interface PlanInput extends DecideContext {
  readonly theirs: FileSet;
  readonly lock: Lock;
  readonly yours: Yours;
  readonly ejected: readonly string[];
  /** Files that the templates renamed: former path → path now. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly catalogue: string;
}

/**
 * Compares what Slipway wrote last time (base), what is on disk (yours) and what it would write now (theirs).
 * @param input the three, and how conflicts are settled
 * @returns what to do with each file; pure: nothing is written
 */
export function plan(input: PlanInput): Plan {
  const moved = findMovedFiles(input);
  const entries: PlanEntry[] = [];
  const locked: Record<string, LockedFile> = {};
  const bases = new Map<string, Uint8Array>();
  const sources = new Map<string, Source>();
  // What is printed from another file comes after that file.
  const [others, derived] = split([...situations(input, moved)], ({ theirs }) => theirs?.derivation !== undefined);
  for (const found of [...others, ...derived]) {
    const situation = { ...found, printed: printedFor(found, sources, input) };
    const decision = decide(situation, input);
    sources.set(situation.path, { before: situation.yours?.bytes, after: decision.bytes ?? situation.yours?.bytes });
    if (decision.locked !== undefined) locked[situation.path] = decision.locked;
    if (decision.base !== undefined) bases.set(input.hash(decision.base), decision.base);
    const entry = entryOf(situation, decision);
    if (entry !== undefined) entries.push(entry);
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { entries, lock: { catalogue: input.catalogue, files: locked }, bases };
}

/** The content of a file before and after the plan. */
interface Source {
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
}

/** What a derived file is by its source: as it was first written, as it is, and as it will be. */
function printedFor(
  { theirs }: Pick<Situation, 'theirs'>,
  sources: ReadonlyMap<string, Source>,
  { yours, lock, base, catalogue }: PlanInput,
): Situation['printed'] {
  if (theirs?.derivation === undefined) return undefined;
  const { from, print, adapt, rivals = [] } = theirs.derivation;
  const onDisk = yours.read(from)?.bytes;
  const { before, after } = sources.get(from) ?? { before: onDisk, after: onDisk };
  const printed = (bytes: Uint8Array | undefined): Uint8Array | undefined => {
    const source = bytes === undefined ? undefined : decode(bytes);
    const text = source === undefined ? undefined : print(source);
    return text === undefined ? undefined : encode(text);
  };
  const texts = { before: decode(before ?? encode('')) ?? '', after: decode(after ?? encode('')) ?? '' };
  const locked = Object.hasOwn(lock.files, from) ? lock.files[from] : undefined;
  return {
    base: () => (locked?.ownership === 'merged' ? printed(base(locked.hash)) : undefined),
    before: printed(before),
    after: printed(after),
    ...(adapt && { adapted: (text: string) => adapt(text, texts, lock.catalogue !== catalogue) }),
    rival: rivals.find((name) => !Object.hasOwn(lock.files, name) && yours.read(name) !== undefined),
  };
}

function split<Item>(items: readonly Item[], isSecond: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter((item) => !isSecond(item)), items.filter(isSecond)];
}

/** Pairs each path with what was written, what is there and what would be written; renamed files appear once, under their new path. */
function* situations(input: PlanInput, moved: Moved): Generator<Omit<Situation, 'printed'>> {
  const { theirs, lock, renamed, yours } = input;
  const formerOf = new Map<string, string>();
  for (const [former, now] of renamed) {
    if (
      Object.hasOwn(lock.files, former) &&
      !Object.hasOwn(lock.files, now) &&
      theirs.has(now) &&
      !theirs.has(former)
    ) {
      formerOf.set(now, former);
    }
  }
  const formers = new Set(formerOf.values());
  const ejectedAs = new Map(
    [...renamed].filter(([former]) => isIn(former, input.ejected)).map(([former, now]) => [now, former]),
  );
  const modules = new Set([...theirs.values()].map(({ module }) => module));
  const paths = new Set([...theirs.keys(), ...Object.keys(lock.files)]);
  for (const path of [...paths].sort()) {
    if (formers.has(path) || isIn(path, input.ejected)) continue;
    const former = formerOf.get(path) ?? path;
    const locked = Object.hasOwn(lock.files, former) ? lock.files[former] : undefined;
    const theirFile: RenderedFile | undefined = theirs.get(path);
    const place = moved.to.get(former) ?? locked?.at ?? former;
    const destination = place === former ? path : place;
    yield {
      path,
      place,
      destination,
      taken: destination === place ? undefined : yours.read(destination),
      locked,
      theirs: theirFile,
      yours: yours.read(place),
      candidates: moved.ambiguous.get(former) ?? [],
      ejectedAs: ejectedAs.get(path),
      moduleStays: locked !== undefined && modules.has(locked.module),
    };
  }
}

interface Moved {
  readonly to: ReadonlyMap<string, string>;
  readonly ambiguous: ReadonlyMap<string, readonly string[]>;
}

/** Looks among the user's own files for those of Slipway's that are no longer where they were. */
function findMovedFiles({ lock, theirs, yours, base, renamed }: PlanInput): Moved {
  const missing = new Map<string, string>();
  for (const [path, file] of Object.entries(lock.files)) {
    if (file.ownership !== 'merged' || yours.read(file.at ?? path) !== undefined) continue;
    const theirFile = theirs.get(renamed.get(path) ?? path);
    if (theirFile === undefined) continue;
    // Where the base is lost, what Slipway would write now is the most similar to it.
    const text = new TextDecoder().decode(base(file.hash) ?? theirFile.bytes);
    if (text.trim() !== '') missing.set(path, text);
  }
  if (missing.size === 0) return { to: new Map(), ambiguous: new Map() };
  const { moved, ambiguous } = findMoved(missing, yours.untracked());
  return { to: moved, ambiguous };
}

function entryOf(situation: Situation, decision: Decision): PlanEntry | undefined {
  if (decision.action === 'keep' && decision.reason === '') return undefined;
  return {
    path: situation.destination,
    action: decision.action,
    module: situation.theirs?.module ?? situation.locked?.module ?? '',
    reason: decision.reason,
    conflicts: decision.conflicts ?? [],
    changes: decision.action === 'conflict' ? [] : changesOf(situation, decision),
  };
}

function changesOf({ place, destination, yours, taken, theirs }: Situation, decision: Decision): Change[] {
  if (decision.action === 'delete' && yours !== undefined) return [{ path: place, expect: yours.hash, remove: true }];
  if (decision.bytes === undefined) return [];
  const executable = (theirs?.mode ?? 0) & 0o111;
  const mode = yours === undefined ? (theirs?.mode ?? 0o644) : yours.mode | executable;
  if (place === destination) return [{ path: place, expect: yours?.hash ?? null, write: decision.bytes, mode }];
  const write: Change = { path: destination, expect: taken?.hash ?? null, write: decision.bytes, mode };
  return yours === undefined ? [write] : [{ path: place, expect: yours.hash, remove: true }, write];
}
