import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

import { exitCodes, SlipwayError } from '../engine/errors.ts';
import { encode } from '../engine/text.ts';
import { makeFolder, readRegularFile, removeFile, removeIfEmpty, writeNewFile } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { transactionFolderOf } from './journal.ts';
import { birthOf, isAlive } from './processes.ts';
import { hashOf } from './tree.ts';

/** The process that holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, in ISO 8601. */
  readonly started: string;
  /** Start of the process, where the system reports it. It is needed because the system reuses process ids. */
  readonly birth?: string;
}

const lockName = 'running.json';
/** How long (ms) a lock without readable content counts as one that is being written. */
const writingTime = 2000;
/** The max size (bytes) of a lock. A lock names one process. */
const largestLock = 64 * 2 ** 10;
/** The max number of attempts when the lock changes between reading and taking it. Usually a few are enough. */
const attempts = 1000;
/** The max depth of claims on stale claims. Killed runs leave one or two; a forged claim may point to itself. */
const deepestClaim = 8;

/**
 * Ensures that only one process at a time changes a service. When the holder of a lock is dead, exactly one process
 * takes it over.
 * @param root the service's folder
 * @param action runs while the lock is held
 * @returns the result of the action; when it is a promise, the lock is held until it settles
 * @throws SlipwayError when another process holds the lock, with its process, its start time and a hint
 */
export function withServiceLock<T>(root: string, action: () => T): T {
  const home = dirname(transactionFolderOf(root));
  const file = join(home, lockName);
  let mine: string;
  try {
    mine = acquire(file);
  } catch (error) {
    removeIfEmpty(home);
    throw osFault(error, `cannot lock the service with ${file}`);
  }
  const release = (): void => {
    process.off('exit', release);
    try {
      if (textOf(file) === mine) removeFile(file);
      removeIfEmpty(home);
    } catch (error) {
      // The result of the action stays valid. A lock that cannot be removed becomes stale when this process ends.
      if (codeOf(error) === undefined) throw error;
    }
  };
  // Releases the lock on process.exit(). A killed process leaves a stale lock.
  process.once('exit', release);
  let isPending = false;
  try {
    sweep(home);
    const result = action();
    if (result instanceof Promise) {
      isPending = true;
      result.then(release, release);
    }
    return result;
  } finally {
    if (!isPending) release();
  }
}

/**
 * @param file the lock
 * @param depth the number of nested claims
 * @returns the content of the lock, which this process holds now
 */
function acquire(file: string, depth = 0): string {
  const birth = birthOf(process.pid);
  const started = new Date().toISOString();
  const me: Holder = { pid: process.pid, host: hostname(), started, ...(birth === undefined ? {} : { birth }) };
  const mine = `${JSON.stringify(me)}\n`;
  const tries = depth > deepestClaim ? 0 : attempts;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    if (createWhole(file, mine)) return mine;
    const theirs = textOf(file);
    if (theirs === undefined) continue;
    if (!isStale(file, theirs)) throw held(file, theirs);
    if (takeOver(file, theirs, mine, depth)) return mine;
  }
  throw new SlipwayError(
    exitCodes.failed,
    `cannot lock the service with ${file}: it is stale and cannot be taken over`,
    {
      hint: `make sure that no other run is at work here, then delete ${join(dirname(file), 'running*')}`,
    },
  );
}

/**
 * Replaces a stale lock. The process first takes a lock on the content of the stale lock. Without this claim, two
 * processes could see the same stale lock, and the slower one would remove the new lock of the faster one.
 * @returns false when the stale lock is gone
 */
function takeOver(file: string, stale: string, mine: string, depth: number): boolean {
  const claim = join(dirname(file), `running-${hashOf(encode(stale)).slice(0, 16)}.json`);
  acquire(claim, depth + 1);
  try {
    if (textOf(file) !== stale) return false;
    const draft = draftOf(file);
    writeLock(draft, mine);
    renameSync(draft, file);
    return true;
  } finally {
    removeFile(claim);
  }
}

/** Creates a file with its content in one step. @returns false when the file exists already */
function createWhole(file: string, text: string): boolean {
  const draft = draftOf(file);
  makeFolder(dirname(file));
  try {
    writeLock(draft, text);
    linkSync(draft, file);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    // The folder was removed with the lock of the previous process. The caller tries again.
    if (code === 'ENOENT') return false;
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(code ?? '')) throw error;
    return createWithoutLinks(file, text);
  } finally {
    removeFile(draft);
  }
}

/** The same as `createWhole` for a file system without hard links. The lock is empty for a moment. */
function createWithoutLinks(file: string, text: string): boolean {
  try {
    writeLock(file, text);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function writeLock(file: string, text: string): void {
  writeNewFile(file, encode(text), { mode: 0o666, durable: false });
}

/** Returns a random name for a draft, so that a stranger cannot put a file or a link there first. */
function draftOf(file: string): string {
  return join(dirname(file), `running-${process.pid}-${randomBytes(8).toString('hex')}.new`);
}

function textOf(file: string): string | undefined {
  return readRegularFile(file, { name: file, follow: false, limit: largestLock })?.bytes.toString();
}

function parseHolder(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('pid' in value && 'host' in value && 'started' in value)) return undefined;
  const { pid, host, started } = value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (typeof host !== 'string' || typeof started !== 'string') return undefined;
  return { pid, host, started, ...('birth' in value && typeof value.birth === 'string' ? { birth: value.birth } : {}) };
}

function isStale(file: string, text: string): boolean {
  const holder = parseHolder(text);
  if (holder === undefined)
    return Date.now() - (lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > writingTime;
  // The state of a process on another machine cannot be checked.
  if (holder.host !== hostname()) return false;
  if (!isAlive(holder.pid)) return true;
  const birth = birthOf(holder.pid);
  return holder.birth !== undefined && birth !== undefined && holder.birth !== birth;
}

function held(file: string, text: string): SlipwayError {
  const holder = parseHolder(text);
  if (holder === undefined) {
    return new SlipwayError(exitCodes.failed, 'another run is just starting in this service', { hint: 'try again' });
  }
  const { pid, host, started } = holder;
  return new SlipwayError(
    exitCodes.failed,
    // Quoted, because the content of the file is not trusted.
    `another run holds this service: process ${pid} on ${JSON.stringify(host)}, since ${JSON.stringify(started)}`,
    { hint: `wait until it is done; if there is no such process any more, delete ${file}`, details: { ...holder } },
  );
}

/** Removes the files of processes that were killed while they took a lock. Only the holder of the lock may call it. */
function sweep(home: string): void {
  try {
    for (const entry of readdirSync(home, { withFileTypes: true })) {
      if (!entry.isDirectory() && isLeftOver(entry.name)) removeFile(join(home, entry.name));
    }
  } catch (error) {
    throw osFault(error, `cannot clear up in ${home}`);
  }
}

function isLeftOver(name: string): boolean {
  const draft = /^running-(\d+)(?:-[0-9a-f]+)?\.new$/.exec(name);
  return draft === null ? /^running-[0-9a-f]{16}\.json$/.test(name) : !isAlive(Number(draft[1]));
}
