import { isIn } from '../names.ts';
import type { Change, DiskFile, FileSet, Lock, LockedFile, Plan, PlanEntry } from '../model.ts';
import { decode, encode, sameBytes } from '../text.ts';
import { decide, type DecideContext, type Decision, type Situation } from './decide.ts';
import { layoutOf, type Located, movedFolders } from './layout.ts';
import { isSource } from './moduleSpecifiers.ts';
import { findMoved, type Moves } from './moves.ts';
import { type ConflictRule, ruleFor } from './policy.ts';
import { renamedTo } from './renames.ts';

/** The files of a service on disk. */
export interface Yours {
  /** Returns the content of a file, or undefined when the file does not exist. */
  readonly read: (path: string) => DiskFile | undefined;
  /** Returns the user's text files that Slipway did not write. The plan calls it only when a file of Slipway is missing. */
  readonly untracked: () => ReadonlyMap<string, string>;
  /** The files that git tracks and has not checked out. */
  readonly sparse: ReadonlySet<string>;
}

export interface PlanInput extends Omit<DecideContext, 'conflict'> {
  /** What happens to conflicts, by path. Without a rule, a conflict stops the plan. */
  readonly conflicts: readonly ConflictRule[];
  readonly theirs: FileSet;
  readonly lock: Lock;
  readonly yours: Yours;
  readonly ejected: readonly string[];
  /** Files that the templates renamed: former path → current path. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Files that the templates joined: the former path, the current place, and the path of the file that now contains the text. */
  readonly parts?: readonly { readonly path: string; readonly place: string; readonly now: string }[];
  readonly catalogue: string;
  /** Set when the manifest described the service otherwise before: its name, if that has changed, and the files of the templates. */
  readonly formerly?: { readonly name: string | undefined; readonly files: FileSet } | undefined;
}

/**
 * Compares what Slipway last wrote (base), what is on disk (yours) and what Slipway would write now (theirs).
 * @param input the three sides, and how to resolve conflicts
 * @returns what to do with each file; the function is pure and writes nothing
 */
export function plan(input: PlanInput): Plan {
  const entries: PlanEntry[] = [];
  const locked: Record<string, LockedFile> = {};
  const bases = new Map<string, Uint8Array>();
  const sources = new Map<string, Source>();
  const all = situations(input, findMovedFiles(input));
  const { toTemplates, toService } = translation(all, input);
  // A derived file comes after its source.
  const [others, derived] = split(all, ({ theirs }) => theirs?.derivation !== undefined);
  for (const found of [...others, ...derived]) {
    const situation = { ...found, printed: printedFor(found, sources, input) };
    const rule = ruleFor([found.destination, found.place], input.conflicts);
    const conflict = rule === undefined || rule.choice === 'skip' ? 'stop' : rule.choice;
    const isWanted = asksFor(rule, situation);
    const decided = decide({ ...situation, yours: toTemplates(found), isWanted }, { ...input, conflict });
    const isHeld = sources.get(situation.theirs?.derivation?.from ?? '')?.skipped === true;
    const decision = isHeld ? held(situation, input) : settledBy(rule, situation, toService(found, decided), input);
    sources.set(situation.path, {
      before: situation.yours?.bytes,
      after: decision.bytes ?? situation.yours?.bytes,
      skipped: decision.skipped === true,
    });
    if (decision.locked !== undefined) locked[situation.path] = decision.locked;
    if (decision.base !== undefined) bases.set(input.hash(decision.base), decision.base);
    const entry = entryOf(situation, decision);
    if (entry !== undefined) entries.push(entry);
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { entries, lock: { catalogue: input.catalogue, files: locked }, bases };
}

/** Whether the command, and not a rule of the manifest, names this one file to be written. */
function asksFor(rule: ConflictRule | undefined, { path, destination }: Found): boolean {
  return rule?.choice === 'theirs' && !rule.isStanding && [path, destination].includes(rule.paths);
}

/** Applies what the user chose for a file with conflicts, beyond what `decide` knows: other content, or no change for now. */
function settledBy(rule: ConflictRule | undefined, situation: Found, decision: Decision, input: PlanInput): Decision {
  if (rule?.text !== undefined && decision.action === 'merge')
    return { ...decision, bytes: rule.text, reason: 'settled by your edit' };
  if (rule?.choice !== 'skip' || decision.action !== 'conflict') return decision;
  const reason = 'skipped: it has conflicts';
  return { ...held(situation, input), reason, conflicts: decision.conflicts ?? [], skipped: true };
}

/** Leaves a file and its record as they are, so that the next plan decides about it again. */
function held({ place, path, locked }: Found, { base }: PlanInput): Decision {
  const kept = { action: 'keep', reason: '' } as const;
  if (locked === undefined) return kept;
  const { at: _at, ...file } = locked;
  const last = locked.ownership === 'merged' ? base(locked.hash) : undefined;
  return { ...kept, locked: place === path ? file : { ...file, at: place }, ...(last && { base: last }) };
}

/** The content of a file before and after the plan. */
interface Source {
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
  /** Whether the user left the file with its conflicts. Files that are printed from it wait as well. */
  readonly skipped: boolean;
}

/** Prints a derived file from its source: from the source as first written, from the current source, and from the future source. */
function printedFor(
  { theirs }: Pick<Situation, 'theirs'>,
  sources: ReadonlyMap<string, Source>,
  { yours, lock, base, catalogue }: PlanInput,
): Situation['printed'] {
  if (theirs?.derivation === undefined) return undefined;
  const { from, print, adapt, rivals = [] } = theirs.derivation;
  const onDisk = yours.read(from)?.bytes;
  const { before, after } = sources.get(from) ?? { before: onDisk, after: onDisk, skipped: false };
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

/** A situation without the printed texts. */
interface Found extends Omit<Situation, 'printed' | 'isWanted'> {
  /** The path in the lock. It differs from `path` when the template has renamed the file. */
  readonly former: string;
}

/** Combines the base, the current file and the future file for each path. A renamed file appears once, under its new path. */
function situations(input: PlanInput, { moved, ambiguous }: Moves): Found[] {
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
  const placeOf = placesIn(input, moved);
  const paths = [...new Set([...theirs.keys(), ...Object.keys(lock.files)])].sort();
  return paths.flatMap((path): Found[] => {
    if (formers.has(path) || isIn(path, input.ejected)) return [];
    const former = formerOf.get(path) ?? path;
    const locked = Object.hasOwn(lock.files, former) ? lock.files[former] : undefined;
    const { place, destination } = placeOf(path, former);
    return [
      {
        path,
        former,
        place,
        destination,
        taken: destination === place ? undefined : yours.read(destination),
        locked,
        theirs: theirs.get(path),
        yours: yours.read(place),
        candidates: ambiguous.get(former) ?? [],
        ejectedAs: ejectedAs.get(path),
        isSparse: yours.sparse.has(place) && yours.read(place) === undefined,
        formerly: formerlyOf(path, input),
        moduleStays: locked !== undefined && modules.has(locked.module),
      },
    ];
  });
}

function formerlyOf(path: string, { formerly }: PlanInput): Situation['formerly'] {
  const file = formerly?.files.get(path);
  return formerly && file && { name: formerly.name, bytes: file.bytes };
}

/** Finds the current and the future place of each file. Existing and new files of a moved folder are in the moved folder. */
function placesIn({ lock, renamed, yours }: PlanInput, moved: Moves['moved']) {
  const placeOf = (former: string): string => moved.get(former) ?? lock.files[former]?.at ?? former;
  const merged = Object.keys(lock.files).filter(
    (former) => lock.files[former]?.ownership === 'merged' && yours.read(placeOf(former)) !== undefined,
  );
  const hasMoves = merged.some((former) => placeOf(former) !== former);
  const folders = hasMoves ? movedFolders(merged.map((former) => [former, placeOf(former)])) : {};
  const foldersNow = hasMoves ? movedFolders(merged.map((former) => nowIn(former, placeOf(former), renamed))) : {};
  return (path: string, former: string): { place: string; destination: string } => {
    const found = Object.hasOwn(lock.files, former) ? placeOf(former) : former;
    const inFolder = renamedTo(former, folders) ?? former;
    const place = yours.read(found) === undefined && yours.read(inFolder) !== undefined ? inFolder : found;
    const wanted = renamedTo(path, foldersNow) ?? path;
    if (yours.read(place) === undefined && place === former) return { place: wanted, destination: wanted };
    const isWhereExpected = place === former || (place === inFolder && path !== former);
    return { place, destination: isWhereExpected ? wanted : place };
  };
}

/** A file at the place where Slipway wrote it counts as unmoved, even when the template has renamed it. */
function nowIn(former: string, place: string, renamed: ReadonlyMap<string, string>): [path: string, place: string] {
  const now = renamed.get(former) ?? former;
  return [now, place === former ? now : place];
}

/** Translates texts: to the layout of the templates for comparison, and back to the layout of the service for writing. */
function translation(all: readonly Found[], { hash, yours, parts = [] }: PlanInput) {
  const located = ({ path, former, place, destination, theirs, yours: file }: Found): Located => ({
    path,
    former,
    place: file === undefined ? undefined : place,
    destination: theirs === undefined ? undefined : destination,
  });
  const destinations = new Map(all.map(({ path, destination }) => [path, destination]));
  const layout = layoutOf(
    [
      ...all.map(located),
      ...parts.map(({ path, place, now }) => ({ path: now, former: path, place, destination: destinations.get(now) })),
    ],
    (place) => yours.read(place) !== undefined,
  );
  return {
    toTemplates: (found: Found): DiskFile | undefined => {
      const { yours: file, place } = found;
      const text = layout === undefined ? undefined : codeIn(file?.bytes, place);
      const next = text === undefined ? undefined : layout?.toTemplates(text, located(found));
      if (file === undefined || next === undefined || next === text) return file;
      return { ...file, bytes: encode(next), hash: hash(encode(next)) };
    },
    toService: (found: Found, decision: Decision): Decision => {
      const { yours: file, place, destination } = found;
      const text = layout === undefined ? undefined : codeIn(decision.bytes, destination);
      if (layout === undefined || text === undefined) return decision;
      const bytes = encode(layout.toService(text, located(found)));
      const isSame = place === destination && file !== undefined && sameBytes(bytes, file.bytes);
      if (!isSame || decision.action === 'conflict') return { ...decision, bytes };
      const { bytes: _, ...kept } = decision;
      return { ...kept, action: 'keep' };
    },
  };
}

/** Returns the text of a source file. */
function codeIn(bytes: Uint8Array | undefined, path: string): string | undefined {
  return bytes !== undefined && isSource(path) ? decode(bytes) : undefined;
}

/** Searches the user's files for files of Slipway that are missing at their place. */
function findMovedFiles({ lock, theirs, yours, base, renamed }: PlanInput): Moves {
  const missing = new Map<string, string>();
  for (const [path, file] of Object.entries(lock.files)) {
    const place = file.at ?? path;
    if (file.ownership !== 'merged' || yours.read(place) !== undefined || yours.sparse.has(place)) continue;
    const theirFile = theirs.get(renamed.get(path) ?? path);
    if (theirFile === undefined) continue;
    // When the base is lost, the text that Slipway would write now is the most similar one.
    const text = new TextDecoder().decode(base(file.hash) ?? theirFile.bytes);
    if (text.trim() !== '') missing.set(path, text);
  }
  if (missing.size === 0) return { moved: new Map(), ambiguous: new Map() };
  return findMoved(missing, yours.untracked());
}

function entryOf(situation: Found, decision: Decision): PlanEntry | undefined {
  if (decision.action === 'keep' && decision.reason === '') return undefined;
  return {
    path: situation.destination,
    action: decision.action,
    module: situation.theirs?.module ?? situation.locked?.module ?? '',
    reason: decision.reason,
    conflicts: decision.conflicts ?? [],
    changes: decision.action === 'conflict' ? [] : changesOf(situation, decision),
    ...(decision.skipped && { skipped: true }),
  };
}

function changesOf({ place, destination, yours, taken, theirs }: Found, decision: Decision): Change[] {
  if (decision.action === 'delete' && yours !== undefined) return [{ path: place, expect: yours.hash, remove: true }];
  if (decision.bytes === undefined) return [];
  const executable = (theirs?.mode ?? 0) & 0o111;
  const mode = yours === undefined ? (theirs?.mode ?? 0o644) : yours.mode | executable;
  if (place === destination) return [{ path: place, expect: yours?.hash ?? null, write: decision.bytes, mode }];
  const write: Change = { path: destination, expect: taken?.hash ?? null, write: decision.bytes, mode };
  return yours === undefined ? [write] : [{ path: place, expect: yours.hash, remove: true }, write];
}
