import type {
  Action,
  Adaptation,
  Conflict,
  ConflictMode,
  ConflictStyle,
  DiskFile,
  LockedFile,
  Merge,
  Merged,
  RenderedFile,
} from '../model.ts';
import { followNames } from './followNames.ts';
import { basesPath } from './lock.ts';
import { decode, encode, hasConflictMarkers, sameBytes } from '../text.ts';
import { withLf, withLineEndsOf } from './merge/lineEnds.ts';

/** All facts about one file. */
export interface Situation {
  /** The path in the templates. */
  readonly path: string;
  /** The current path. */
  readonly place: string;
  /** The future path. It differs from `place` only when the template renamed the file. */
  readonly destination: string;
  /** The file that already exists at a destination other than `place`. */
  readonly taken: DiskFile | undefined;
  readonly locked: LockedFile | undefined;
  readonly theirs: RenderedFile | undefined;
  readonly yours: DiskFile | undefined;
  /** Files that the user may have moved it to, when the move is uncertain. */
  readonly candidates: readonly string[];
  /** The path under which the user ejected the file before the template renamed it. */
  readonly ejectedAs: string | undefined;
  /** Whether the module that brought the file is still in the service. */
  readonly moduleStays: boolean;
  /** Set for a derived file: the texts printed from its source. */
  readonly printed: Printed | undefined;
  /** Whether git tracks the file and has not checked it out. */
  readonly isSparse: boolean;
  /** Whether the user asks for a missing file. */
  readonly isWanted: boolean;
  /** Set when `slipway.json` described the service otherwise before: its name, if that has changed, and the file of the templates. */
  readonly formerly?: { readonly name: string | undefined; readonly bytes: Uint8Array } | undefined;
}

/** The texts printed from the source of a derived file. A text is undefined when the source cannot be used. */
export interface Printed {
  /** Printed from the source as first written. It is computed only when needed. */
  readonly base: () => Uint8Array | undefined;
  /** Printed from the current source. */
  readonly before: Uint8Array | undefined;
  /** Printed from the future source. */
  readonly after: Uint8Array | undefined;
  /** Adapts the user's file to the future source. It is absent when only Slipway writes the file. */
  readonly adapted?: (yours: string) => Adaptation;
  /** A file of the user with the same purpose. */
  readonly rival: string | undefined;
}

export interface Decision {
  readonly action: Action;
  /** The reason, in a few words. It is empty when there is nothing to report. */
  readonly reason: string;
  /** The new content of the file. It is absent when Slipway does not write the file. */
  readonly bytes?: Uint8Array;
  readonly conflicts?: readonly Conflict[];
  /** The file has conflicts, and the user chose to leave it as it is. */
  readonly skipped?: true;
  /** The new record in the lock. It is absent when Slipway stops tracking the file. */
  readonly locked?: LockedFile;
  /** The base to keep, for a merged file. */
  readonly base?: Uint8Array;
}

/** How to find bases and how to resolve conflicts. */
export interface DecideContext {
  /** Returns the base with this hash, or undefined when it is lost. */
  readonly base: (hash: string) => Uint8Array | undefined;
  readonly conflict: ConflictMode;
  readonly merge: Merge;
  readonly hash: (bytes: Uint8Array) => string;
}

/**
 * Decides what to do with one file.
 * @param situation the base, the current file and the future file
 * @param context how to find bases and how to resolve conflicts
 * @returns the action and the new record
 */
export function decide(situation: Situation, context: DecideContext): Decision {
  const { theirs, locked, yours } = situation;
  if (yours?.special !== undefined) return leaveAlone(yours.special, situation, context);
  if (locked !== undefined && yours === undefined && staysMissing(situation))
    return waitFor(situation, locked, context);
  if (theirs === undefined) return locked === undefined ? nothing : letGo(situation, locked, context);
  const subject = { ...situation, theirs, theirsHash: context.hash(theirs.bytes) };
  if (locked !== undefined && yours === undefined) return writeAgain(subject, context);
  if (situation.printed?.adapted !== undefined) return fit(subject, situation.printed, context);
  if (locked === undefined || yours === undefined) return bringIn(subject, context);
  const present = { ...subject, yours };
  if (theirs.ownership === 'seed') return keepSeed(present, locked, context);
  if (theirs.ownership === 'managed') return restore(present, locked, context);
  if (theirs.ownership === 'derived') return reprint(present, context);
  return reconcile(present, locked, context);
}

const nothing: Decision = { action: 'keep', reason: '' };

/** Decides about something that the user has put in the place of a file. It is a conflict only when Slipway has a new text for the file. */
function leaveAlone(special: string, situation: Situation, context: DecideContext): Decision {
  const { theirs, locked } = situation;
  const alone: Decision = { ...nothing, reason: `it is ${special}: left alone` };
  if (theirs === undefined) return alone;
  const subject = { ...situation, theirs, theirsHash: context.hash(theirs.bytes) };
  if (locked !== undefined && (theirs.ownership === 'seed' || locked.hash === subject.theirsHash)) {
    const base = locked.ownership === 'merged' ? context.base(locked.hash) : undefined;
    return { ...alone, locked, ...(base && { base }) };
  }
  const remembered = remember(subject, theirs.bytes, context);
  if (context.conflict === 'ours') return { ...alone, ...remembered };
  return { action: 'conflict', reason: `it is ${special}: put a file there, or choose --conflict=ours`, ...remembered };
}

type Subject = Situation & { readonly theirs: RenderedFile; readonly theirsHash: string };
type Present = Subject & { readonly yours: DiskFile };

/**
 * Returns whether a missing file stays missing. The user may have deleted it, or it is not in this copy of the service: a file system
 * without git does not tell. A managed file is written again.
 */
function staysMissing({ theirs, isSparse, isWanted }: Situation): boolean {
  return isSparse || (theirs !== undefined && theirs.ownership !== 'managed' && !isWanted);
}

/** Leaves the record of a missing file as it is. When the file comes back, everything that has changed since is merged into it. */
function waitFor(situation: Situation, locked: LockedFile, context: DecideContext): Decision {
  const { theirs, candidates, isSparse, printed } = situation;
  const isMerged = locked.ownership === 'merged';
  const base = isMerged ? context.base(locked.hash) : undefined;
  // Without the base, the text that Slipway would write now is the closest one.
  const next = isMerged && base === undefined ? theirs?.bytes : undefined;
  const kept = base ?? next;
  const rival = printed?.rival === undefined ? 'it is missing' : `you have ${printed.rival} instead`;
  const missing = candidates.length === 0 ? rival : `moved? ${candidates.join(' or ')} looks like it`;
  const reason = isSparse ? 'it is not checked out' : missing;
  return {
    ...nothing,
    reason: locked.ownership === 'seed' ? '' : reason,
    locked: withPlace(situation, next === undefined ? locked : { ...locked, hash: context.hash(next) }),
    ...(kept && { base: kept }),
  };
}

/** Writes a missing file again. */
function writeAgain(subject: Subject, context: DecideContext): Decision {
  const { theirs, printed } = subject;
  const bytes = printed?.after ?? theirs.bytes;
  return { action: 'create', reason: 'it was missing', bytes, ...remember(subject, theirs.bytes, context) };
}

/**
 * Decides about a seed. It is the user's, and changes of the template do not reach it. But lines that name the service follow
 * `slipway.json`, where they are still as Slipway wrote them.
 */
function keepSeed(subject: Present, locked: LockedFile, context: DecideContext): Decision {
  const { yours, theirs, formerly } = subject;
  const record: LockedFile = { ...locked, ...whereIs(subject), ownership: 'seed' };
  const [present, former, wanted] = [yours, formerly, theirs].map((file) => file && decode(file.bytes));
  if (formerly === undefined || !present || !former || !wanted || former === wanted)
    return { ...nothing, locked: record };
  const { text, left } = followNames(withLf(present), former, wanted, formerly.name);
  const reason = [
    ...(text === withLf(present) ? [] : ['its names follow slipway.json']),
    ...(left.length === 0 ? [] : [`"${formerly.name}" is left in line ${left.join(', ')}: change it by hand`]),
  ].join('; ');
  if (text === withLf(present)) return { ...nothing, reason, locked: record };
  const hash = hashOfText(yours, context) === locked.hash ? context.hash(encode(text)) : locked.hash;
  return { action: 'merge', reason, bytes: inLineEndsOf(yours, encode(text)), locked: { ...record, hash } };
}

/** Decides about a file that Slipway has not written before. */
function bringIn(subject: Subject, context: DecideContext): Decision {
  const { yours, theirs, ejectedAs, printed, isSparse } = subject;
  const remembered = remember(subject, theirs.bytes, context);
  const bytes = printed?.after ?? theirs.bytes;
  if (isSparse)
    return { action: 'conflict', reason: 'a file of yours is here, and not checked out: check it out first' };
  if (yours === undefined) {
    const reason = ejectedAs === undefined ? '' : `you have ejected it as ${ejectedAs}`;
    return { action: 'create', reason, bytes, ...remembered };
  }
  const adopted = { ...remembered, locked: { ...remembered.locked, adopted: true } } as const;
  if (sameBytes(yours.bytes, bytes)) return { action: 'adopt', reason: 'already as it should be', ...adopted };
  if (theirs.ownership === 'seed') return { action: 'adopt', reason: 'yours is kept', ...adopted };
  return (
    joinIn(subject, yours, context) ??
    settle(subject, context, {
      reason: 'you have a file of your own here',
      ours: { action: 'adopt', reason: 'yours is kept', ...adopted },
      theirs: { action: 'update', reason: 'yours is replaced', bytes, ...remembered },
    })
  );
}

/**
 * Merges what Slipway needs into a file that the user had before, by key or by item, once the user has said which side wins. Returns
 * undefined when the file has neither keys nor items, or needs nothing.
 */
function joinIn(subject: Subject, yours: DiskFile, context: DecideContext): Decision | undefined {
  const { path, theirs, printed } = subject;
  const [yourText, theirText] = [decode(yours.bytes), decode(theirs.bytes)];
  if (theirs.ownership !== 'merged' || yourText === undefined || theirText === undefined || printed !== undefined)
    return undefined;
  if (context.conflict !== 'ours' && context.conflict !== 'theirs') return undefined;
  const merged = context.merge(path, '', yourText, theirText, context.conflict);
  if (merged.text === yourText || merged.text === theirText) return undefined;
  const remembered = remember(subject, encode(merged.base), context);
  const adopted = { ...remembered, locked: { ...remembered.locked, adopted: true } } as const;
  return fromMerge(merged, yourText, 'yours gets what it lacks', adopted, context);
}

/** Decides about a managed file. */
function restore(subject: Present, locked: LockedFile, context: DecideContext): Decision {
  const { yours, theirs, theirsHash, place, destination } = subject;
  const remembered = remember(subject, theirs.bytes, context);
  const plainHash = hashOfText(yours, context);
  if (plainHash === theirsHash && place === destination) return { ...nothing, ...remembered };
  if (plainHash === locked.hash || plainHash === theirsHash) {
    return { action: 'update', reason: '', bytes: inLineEndsOf(yours, theirs.bytes), ...remembered };
  }
  return settle(subject, context, {
    reason: 'it was edited, and is rewritten by Slipway',
    ours: { ...nothing, reason: 'yours is kept', ...remembered },
    theirs: { action: 'update', reason: 'your edits are replaced', bytes: theirs.bytes, ...remembered },
  });
}

/** Decides about a derived file. It follows its source, unless its content differs from what the source gave before. */
function reprint(subject: Present, context: DecideContext): Decision {
  const { yours, theirs, printed, locked } = subject;
  const remembered = remember(subject, theirs.bytes, context);
  const [before, after] = [printed?.before, printed?.after];
  const plainHash = hashOfText(yours, context);
  const says = (bytes: Uint8Array | undefined): boolean => bytes !== undefined && context.hash(bytes) === plainHash;
  // An earlier Slipway may have printed the file differently.
  const isOlder = (): boolean => {
    const laidDown = plainHash === locked?.hash ? printed?.base() : undefined;
    return laidDown !== undefined && !says(laidDown);
  };
  if (after === undefined || says(after) || !(says(before) || isOlder())) return { ...nothing, ...remembered };
  return { action: 'update', reason: '', bytes: inLineEndsOf(yours, after), ...remembered };
}

/** Decides about a file that other tools write too, such as a lockfile. Slipway adapts it when its own text differs from last time. */
function fit(subject: Subject, { adapted, after, rival }: Printed, context: DecideContext): Decision {
  const { yours, locked, theirs, theirsHash } = subject;
  const remembered = remember(subject, theirs.bytes, context);
  if (yours === undefined) {
    if (rival !== undefined) return { ...nothing, reason: `you have ${rival} instead`, ...remembered };
    return { action: 'create', reason: '', bytes: after ?? theirs.bytes, ...remembered };
  }
  if (locked?.hash === theirsHash && !locked.contested) return { ...nothing, ...remembered };
  const kept =
    locked === undefined ? { ...remembered, locked: { ...remembered.locked, adopted: true as const } } : remembered;
  const text = decode(yours.bytes) ?? '';
  if (hasConflictMarkers(text) && context.conflict !== 'ours') {
    const action = context.conflict === 'theirs' ? 'update' : 'conflict';
    return {
      action,
      reason: 'it holds an unresolved conflict; --conflict=theirs writes it anew',
      bytes: after ?? theirs.bytes,
      ...kept,
    };
  }
  const adaptation = adapted?.(withLf(text)) ?? { reason: '' };
  if ('reason' in adaptation) return { ...nothing, reason: adaptation.reason, ...kept };
  const bytes = inLineEndsOf(yours, encode(adaptation.text));
  if (sameBytes(bytes, yours.bytes)) return { ...nothing, ...kept };
  return { action: yours.hash === locked?.hash ? 'update' : 'merge', reason: '', bytes, ...kept };
}

/**
 * Hashes a file with LF line ends. A checkout of Git may change line ends, so different line ends do not count as an edit.
 * @param file on disk
 * @param context gives SHA-256
 * @returns the hash of the file with LF line ends
 */
export function hashOfText({ bytes, hash }: DiskFile, context: Pick<DecideContext, 'hash'>): string {
  const text = decode(bytes);
  return text?.includes('\r\n') ? context.hash(encode(withLf(text))) : hash;
}

function inLineEndsOf(yours: DiskFile, theirs: Uint8Array): Uint8Array {
  const [model, text] = [decode(yours.bytes), decode(theirs)];
  return model === undefined || text === undefined ? theirs : encode(withLineEndsOf(text, model));
}

/** Decides about a file that Slipway shares with the user. */
function reconcile(subject: Present, locked: LockedFile, context: DecideContext): Decision {
  const { yours, theirs, theirsHash, taken, place, destination } = subject;
  const remembered = remember(subject, theirs.bytes, context);
  if (taken !== undefined) {
    return settle({ ...subject, yours: taken }, context, {
      reason: `${place} was renamed to this, and you have a file of your own here`,
      ours: { ...nothing, reason: 'yours is kept', ...remembered },
      theirs: {
        action: 'update',
        reason: `renamed from ${place}; yours is replaced`,
        bytes: theirs.bytes,
        ...remembered,
      },
    });
  }
  const from = story(subject);
  if (yours.hash === locked.hash && theirsHash !== locked.hash) {
    return { action: 'update', reason: from, bytes: theirs.bytes, ...remembered };
  }
  if (locked.ownership !== 'merged') return { ...nothing, reason: from, ...remembered };
  if (theirsHash === locked.hash || yours.hash === theirsHash) {
    // The base stays the same. So text that the user wrote before Slipway stays the user's.
    const base = theirsHash === locked.hash ? theirs.bytes : context.base(locked.hash);
    const kept =
      base === undefined || locked.contested
        ? remembered
        : { locked: withPlace(subject, { ...locked, module: theirs.module }), base };
    return place === destination
      ? { action: 'keep', reason: from, ...kept }
      : { action: 'update', reason: from, ...kept, bytes: yours.bytes };
  }
  return threeWay(subject, locked, from, context);
}

/** Describes where the file came from. A move in the lock was reported before. */
function story({ path, place, destination, locked }: Situation): string {
  if (place !== destination) return `renamed from ${place}`;
  return place === path || place === locked?.at ? '' : `moved by you from ${path}`;
}

function threeWay(subject: Present, locked: LockedFile, from: string, context: DecideContext): Decision {
  const { yours, theirs } = subject;
  const kept = context.base(locked.hash);
  const base = kept === undefined ? undefined : decode(kept);
  const [yourText, theirText] = [decode(yours.bytes), decode(theirs.bytes)];
  const remembered = remember(subject, theirs.bytes, context);
  if (base === undefined || yourText === undefined || theirText === undefined) {
    return settle(subject, context, {
      reason:
        kept === undefined
          ? `both sides changed it, and ${basesPath} no longer holds what Slipway wrote`
          : 'it is not text, and both sides changed it',
      ours: { ...nothing, reason: 'yours is kept', ...remembered },
      theirs: { action: 'update', reason: 'your version is replaced', bytes: theirs.bytes, ...remembered },
    });
  }
  const merged = context.merge(subject.path, base, yourText, theirText, styleOf(context));
  // The chosen base lacks text that Slipway wrote on the other branch. That text is not the user's.
  const result = locked.contested ? remembered : remember(subject, encode(merged.base), context);
  return fromMerge(merged, subject.place === subject.destination ? yourText : undefined, from, result, context);
}

function styleOf({ conflict }: DecideContext): ConflictStyle {
  return conflict === 'stop' ? 'markers' : conflict;
}

/**
 * @param present the text on disk; undefined when the file is written in any case
 * @param otherwise the reason of a merge without conflicts
 */
function fromMerge(
  { text, conflicts, notes = [] }: Merged,
  present: string | undefined,
  otherwise: string,
  remembered: Pick<Decision, 'locked' | 'base'>,
  { conflict }: DecideContext,
): Decision {
  const [first] = conflicts;
  const found = first?.why ?? count(conflicts.length);
  if (first !== undefined && conflict === 'stop')
    return { action: 'conflict', reason: found, bytes: encode(text), conflicts, ...remembered };
  const reason = [first === undefined ? otherwise : `${found}, settled: ${conflict}`, ...notes]
    .filter((part) => part !== '')
    .join('; ');
  if (text === present) return { ...nothing, reason, ...remembered };
  return { action: 'merge', reason, bytes: encode(text), conflicts, ...remembered };
}

/** Decides about a file that the templates no longer contain. */
function letGo({ yours, moduleStays }: Situation, locked: LockedFile, context: DecideContext): Decision {
  if (yours === undefined) return nothing;
  if (locked.adopted) return { ...nothing, reason: 'it was yours before' };
  if (locked.ownership === 'seed' && moduleStays)
    return { ...nothing, reason: 'the template has dropped it; it is yours' };
  if (hashOfText(yours, context) === locked.hash) return { action: 'delete', reason: '' };
  if (locked.ownership === 'derived') return { ...nothing, reason: 'no longer Slipway’s; yours is kept' };
  if (context.conflict === 'theirs') return { action: 'delete', reason: 'with your edits' };
  if (context.conflict !== 'stop') return { ...nothing, reason: 'no longer Slipway’s; yours is kept' };
  return { action: 'conflict', reason: 'it would be deleted, and you have edited it', locked };
}

/** Resolves a conflict over a whole file. */
function settle(
  { yours, theirs, path }: Subject,
  { conflict, merge }: DecideContext,
  { reason, ours, theirs: replaced }: { reason: string; ours: Decision; theirs: Decision },
): Decision {
  if (conflict === 'ours') return ours;
  if (conflict === 'theirs') return replaced;
  const [yourText, theirText] = [yours === undefined ? undefined : decode(yours.bytes), decode(theirs.bytes)];
  const both =
    yourText === undefined || theirText === undefined ? undefined : merge(path, '', yourText, theirText, 'markers');
  const shown = both === undefined ? {} : { conflicts: both.conflicts };
  if (conflict === 'stop') return { ...replaced, ...shown, action: 'conflict', reason };
  return both === undefined
    ? { ...ours, reason }
    : { ...replaced, ...shown, action: 'merge', reason, bytes: encode(both.text) };
}

/** Returns the record for a file with these bytes as its new base. */
function remember(
  subject: Subject,
  base: Uint8Array,
  context: DecideContext,
): { locked: LockedFile; base?: Uint8Array } {
  const { theirs, locked } = subject;
  const file: LockedFile = {
    module: theirs.module,
    ownership: theirs.ownership,
    hash: context.hash(base),
    ...(locked?.adopted ? { adopted: true } : {}),
  };
  return { locked: withPlace(subject, file), ...(theirs.ownership === 'merged' ? { base } : {}) };
}

/** Records the place that the user moved the file to. */
function withPlace({ destination, path }: Situation, { at: _at, ...file }: LockedFile): LockedFile {
  return destination === path ? file : { ...file, at: destination };
}

/** Records the place of a file that Slipway does not move. */
function whereIs({ place, path }: Situation): { at?: string } {
  return place === path ? {} : { at: place };
}

function count(conflicts: number): string {
  return conflicts === 1 ? '1 conflict' : `${conflicts} conflicts`;
}
