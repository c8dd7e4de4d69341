import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

import { exitCodes, SlipwayError } from '../engine/errors.ts';
import { makeFolder, readRegularFile, removeFile, removeIfEmpty, writeNewFile } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { transactionFolderOf } from './journal.ts';
import { birthOf, isAlive } from './processes.ts';
import { hashOf } from './tree.ts';

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly started: string;
  /** When the process was started, where the system tells: process ids are used again. */
  readonly birth?: string;
}

const lockName = 'running.json';
/** How long (ms) a lock without readable content may be one that is just being written. */
const writingTime = 2000;
/** The largest lock (bytes): it names one process. */
const largestLock = 64 * 2 ** 10;
/** How often to look again when the lock changes under one's eyes; other runs need a few. */
const attempts = 1000;
/** How many claims on a stale claim to follow; killed runs leave one or two, and a forged one may lead back to itself. */
const deepestClaim = 8;

/**
 * Lets one process at a time change a service. A lock whose holder is dead is taken over, by one process only.
 * @param root the service's folder
 * @param action what to do meanwhile
 * @returns what the action returns; when that is a promise, the lock is held until it settles
 * @throws SlipwayError when another process holds the lock, saying which, since when, and what to do
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
      // What was done under the lock stands; a lock that cannot be removed is stale as soon as this process ends.
      if (codeOf(error) === undefined) throw error;
    }
  };
  // For process.exit() in the middle; a killed process leaves a stale lock.
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
 * @param depth how many claims on claims it is
 * @returns the content with which this process holds the lock now
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
 * Replaces a stale lock. A process must first hold a lock on that very content first; without it, the slower of two
 * processes that saw the same stale lock would remove the faster one's new lock.
 * @returns false when it was no longer there
 */
function takeOver(file: string, stale: string, mine: string, depth: number): boolean {
  const claim = join(dirname(file), `running-${hashOf(new TextEncoder().encode(stale)).slice(0, 16)}.json`);
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

/** Creates a file with its content in one step. @returns false when there is one already */
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
    // The folder went with the lock of the process before: the caller tries again.
    if (code === 'ENOENT') return false;
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(code ?? '')) throw error;
    return createWithoutLinks(file, text);
  } finally {
    removeFile(draft);
  }
}

/** The same on a file system without hard links, where for a moment the lock stands without content. */
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
  writeNewFile(file, new TextEncoder().encode(text), { mode: 0o666, durable: false });
}

/** Names a draft so that nobody can have put anything there before. */
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
  // Of another machine nothing can be known from here.
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
    // Quoted, because anybody may have written the file.
    `another run holds this service: process ${pid} on ${JSON.stringify(host)}, since ${JSON.stringify(started)}`,
    { hint: `wait until it is done; if there is no such process any more, delete ${file}`, details: { ...holder } },
  );
}

/** Removes what processes that were killed while they took a lock have left; only the lock's holder may do so. */
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
