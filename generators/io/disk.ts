import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, sep } from 'node:path';

import { badInput } from '../engine/errors.ts';
import { codeOf } from './faults.ts';

const isWindows = process.platform === 'win32';

/** What a new file takes over from the one it will replace. */
export interface Permissions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The largest file (bytes) that is read whole. */
export const largestFile = 64 * 2 ** 20;

/** How a file is read that anybody may have put there. */
interface Reading {
  /** What the user calls it, for errors. */
  readonly name: string;
  /** Whether it may be a link. */
  readonly follow: boolean;
  /** How many bytes are too many. */
  readonly limit?: number;
  /** What to do about something else in its place. */
  readonly hint?: string;
}

/**
 * Reads a file that anybody may have put there. Nothing but a regular file is opened: a pipe never ends, a device may do anything.
 * @param file its absolute path
 * @param how what it may be
 * @returns its content and its state; undefined when there is none
 * @throws SlipwayError bad input when it is no regular file, or too large; the system's own error when it cannot be read
 */
export function readRegularFile(
  file: string,
  how: Reading,
): { readonly bytes: Buffer; readonly stat: Stats } | undefined {
  let descriptor: number | undefined;
  try {
    // Before it is opened, because opening a device is an act of its own, and because Windows knows none of the flags below.
    assertReadable((how.follow ? statSync : lstatSync)(file), how);
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (how.follow ? 0 : constants.O_NOFOLLOW);
    descriptor = openSync(file, flags);
    // Once more: it may have been replaced meanwhile.
    const stat = fstatSync(descriptor);
    assertReadable(stat, how);
    return { bytes: readFileSync(descriptor), stat };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function assertReadable(
  stat: Stats,
  { name, limit = largestFile, hint = 'move it away and run the command again' }: Reading,
): void {
  if (!stat.isFile()) throw badInput(`${name} is ${kindOf(stat)}, where a file is expected`, hint);
  if (stat.size > limit) throw badInput(`${name} is too large: ${stat.size} bytes, where ${limit} are the limit`, hint);
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isSymbolicLink()) return 'a link';
  return stat.isSocket() ? 'a socket' : 'a pipe or a device';
}

/**
 * Writes a new file so that it survives a power cut. The system refuses a path where anything is already, a link too.
 * @param file its absolute path, where nothing may be yet
 * @param bytes its content
 * @param options `mode` of a new file, less the user's umask; `like`: permissions to take over exactly; `durable`: wait for the disk
 */
export function writeNewFile(
  file: string,
  bytes: Uint8Array,
  options: { readonly mode: number; readonly like?: Permissions | undefined; readonly durable: boolean },
): void {
  const descriptor = openSync(file, 'wx', options.mode);
  try {
    writeFileSync(descriptor, bytes);
    if (options.like !== undefined && !isWindows) takeOver(descriptor, options.like);
    if (options.durable) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function takeOver(descriptor: number, like: Permissions): void {
  // Root editing somebody's service leaves the files theirs; nobody else can give files away, nor needs to.
  if (process.getuid?.() === 0) fchownSync(descriptor, like.uid, like.gid);
  fchmodSync(descriptor, like.mode);
}

/**
 * Makes one folder. (mkdir's own `recursive` takes a read-only file system for a missing folder.)
 * @param folder its absolute path; it may be there already, its parent must
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    // Made by somebody else meanwhile, or, where case does not count, under its twin's name.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Makes a folder's entries (what was created, renamed or removed in it) survive a power cut.
 * @param folder its absolute path
 */
export function syncFolder(folder: string): void {
  // Windows does not let a folder be opened for this; NTFS journals its entries itself.
  if (isWindows) return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Renames atomically, over what is there.
 * @param from absolute path of the file or folder
 * @param to its new absolute path, on the same file system
 */
export function replaceFile(from: string, to: string): void {
  patiently(() => renameSync(from, to));
}

/**
 * @param file absolute path of a file to remove, which may be gone already
 */
export function removeFile(file: string): void {
  patiently(() => {
    try {
      unlinkSync(file);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  });
}

/**
 * @param folder absolute path of a folder, removed if it is there and holds nothing
 * @returns whether it was removed
 */
export function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    // Not empty, gone, a mount point, not ours to remove: a folder more does no harm.
    return false;
  }
}

/**
 * Removes a folder and its parents, as far as they are empty.
 * @param folder absolute path of the folder
 * @param root absolute path of the folder to stop at, which is never removed
 */
export function removeEmptyUpTo(folder: string, root: string): void {
  for (let at = folder; at.startsWith(root + sep) && removeIfEmpty(at);) at = dirname(at);
}

/** How often and how long (ms) to wait for a virus scanner or an editor to let go of a file on Windows. */
const patience = [10, 20, 50, 100, 200, 400];

function patiently(action: () => void): void {
  for (const wait of isWindows ? patience : []) {
    try {
      return action();
    } catch (error) {
      if (!['EACCES', 'EBUSY', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wait);
    }
  }
  return action();
}
