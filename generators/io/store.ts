import { badInput } from '../engine/errors.ts';
import type { DiskFile, Lock, Service } from '../engine/model.ts';
import {
  basesPath,
  type LockLines,
  lockPath,
  oldBasesFolder,
  oldLockPath,
  parseLock,
  parseOldLock,
} from '../engine/reconcile/lock.ts';
import { decode, encode } from '../engine/text.ts';
import { indexBases } from '../engine/reconcile/bases.ts';
import { chooseLock } from '../engine/reconcile/choose.ts';
import { withLf } from '../engine/reconcile/merge/lineEnds.ts';
import { assertSafePath } from './paths.ts';
import { hashOf, listFolder } from './tree.ts';

/** The content of `.slipway/` in Git's history. */
export interface Past {
  /** The newest undamaged lock. */
  readonly lock: LockLines | undefined;
  /** Finds the base with this hash; undefined when none of the commits that were read has it. */
  readonly base: (hash: string) => Uint8Array | undefined;
}

/** The content of `.slipway/`. It is not trusted, because anybody may have edited it. */
export interface Store {
  readonly lock: () => Lock;
  readonly base: Service['base'];
  /** Whether `.slipway/` itself holds the base with this hash. */
  readonly isKept: (hash: string) => boolean;
  /** Requested items that are damaged or missing on disk: hashes of bases, and the path of the lock. */
  readonly lost: ReadonlySet<string>;
}

/**
 * Opens the store of a service. It reads on demand.
 * @param read reads a file of the service
 * @param isService whether there is a manifest; a service without a lock is damaged
 * @param past the content of Git's history, if that has been searched
 * @returns lock and bases
 */
export function openStore(read: Service['read'], isService: boolean, past?: Past): Store {
  const lost = new Set<string>();
  const inFile = once(() => indexBases(textOf(read(basesPath)), hashOf));
  const kept = (hash: string): Uint8Array | undefined => inFile()(hash) ?? oldBase(hash, read);
  const lock = once(() => {
    const lines = linesOf(read, isService, past, () => lost.add(lockPath));
    return chooseLock(lines, { read, base: (hash) => kept(hash) ?? past?.base(hash), hash: hashOf });
  });
  const base = (hash: string): Uint8Array | undefined => {
    const found = kept(hash) ?? unedited(hash, lock(), read);
    if (found === undefined) lost.add(hash);
    return found ?? past?.base(hash);
  };
  return { lock, base, isKept: (hash) => kept(hash) !== undefined, lost };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The lines of all locks. Damaged ones are replaced from Git's history. */
function linesOf(read: Service['read'], isService: boolean, past: Past | undefined, onDamage: () => void): LockLines[] {
  const [found, ...older] = locksOf(read);
  if (found === undefined && !isService) return [];
  if (found?.lines.fault === undefined && found?.lines.edited.length === 0)
    return [found.lines, ...older.map(({ lines }) => lines)];
  onDamage();
  if (past?.lock !== undefined)
    return [...(found === undefined ? [] : [found.lines]), without(past.lock, found?.lines)];
  if (found === undefined) throw missing();
  const { path, lines } = found;
  if (lines.fault !== undefined) throw damaged(path, lines.fault);
  // The lock in history is missing too, so a readable edited line is accepted.
  return [{ ...lines, records: [...lines.records, ...lines.edited] }];
}

/** The lock, then the lock of version 1. Both exist when Git has merged a converted branch with an unconverted one. */
function locksOf(read: Service['read']): { readonly path: string; readonly lines: LockLines }[] {
  const [lock, old] = [read(lockPath), read(oldLockPath)];
  return [
    ...(lock === undefined ? [] : [{ path: lockPath, lines: parseLock(textOf(lock), hashOf, assertSafePath) }]),
    ...(old === undefined ? [] : [{ path: oldLockPath, lines: parseOldLock(textOf(old), assertSafePath) }]),
  ];
}

function without(lines: LockLines, others: LockLines | undefined): LockLines {
  const known = new Set(others?.records.map(({ path }) => path));
  return { ...lines, records: lines.records.filter(({ path }) => !known.has(path)) };
}

function missing() {
  return badInput(
    `${lockPath} is missing: without it Slipway cannot tell your edits from its own files`,
    'restore it from version control (git checkout -- .slipway); without a copy, write this line into it, and every file ' +
      'counts as your own: {"version":2,"catalogue":"0.0.0"}',
  );
}

function damaged(path: string, fault: string) {
  return badInput(
    `${path} is damaged: ${fault}`,
    `restore it from version control: git checkout -- ${path}` +
      (fault.startsWith('line') ? '; without a copy, delete that line, and the file counts as your own' : ''),
  );
}

/** Reads a base in the format of version 1. */
function oldBase(hash: string, read: Service['read']): Uint8Array | undefined {
  const found = read(`${oldBasesFolder}/${hash}`);
  return found?.hash === hash ? found.bytes : undefined;
}

/** Finds an unedited file with this hash. Such a file is its own base. */
function unedited(hash: string, { files }: Lock, read: Service['read']): Uint8Array | undefined {
  for (const [path, file] of Object.entries(files)) {
    const bytes = file.hash === hash ? read(file.at ?? path)?.bytes : undefined;
    const text = bytes === undefined ? undefined : decode(bytes);
    const plain = text === undefined ? bytes : encode(withLf(text));
    if (plain !== undefined && hashOf(plain) === hash) return plain;
  }
  return undefined;
}

function textOf(file: DiskFile | undefined): string {
  return (file === undefined ? undefined : decode(file.bytes)) ?? '';
}

/**
 * @param root the service's folder
 * @returns paths in `.slipway/` that only an earlier version of Slipway used
 */
export function outdatedFiles(root: string): string[] {
  return [oldLockPath, ...listFolder(root, oldBasesFolder).map((name) => `${oldBasesFolder}/${name}`)];
}
