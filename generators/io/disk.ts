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

/** Permissions that a new file takes over from the file that it replaces. */
export interface Permissions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The max size (bytes) of a file that is read whole. */
export const largestFile = 64 * 2 ** 20;

/** How to read a file that another user or program may have put there. */
interface Reading {
  /** The user's name of the file, for errors. */
  readonly name: string;
  /** Whether the file may be a link. */
  readonly follow: boolean;
  /** The max size in bytes. */
  readonly limit?: number;
  /** The hint of the error when the file is of another kind or too large. */
  readonly hint?: string;
}

/**
 * Reads a file that another user or program may have put there. It opens regular files only: reading a pipe may never
 * end, and opening a device may have side effects.
 * @param file its absolute path
 * @param how which kinds of file are allowed
 * @returns its content and its state; undefined when the file does not exist
 * @throws SlipwayError bad input when it is not a regular file, or too large; the system's own error when it cannot
 * be read
 */
export function readRegularFile(
  file: string,
  how: Reading,
): { readonly bytes: Buffer; readonly stat: Stats } | undefined {
  let descriptor: number | undefined;
  try {
    // Checked before opening, because opening a device has side effects, and because Windows supports none of the
    // flags below.
    assertReadable((how.follow ? statSync : lstatSync)(file), how);
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (how.follow ? 0 : constants.O_NOFOLLOW);
    descriptor = openSync(file, flags);
    // Checked again, because the file may have been replaced since.
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

/**
 * @param stat the state of something that is no regular file
 * @returns what it is, for a message
 */
export function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isSymbolicLink()) return 'a link';
  return stat.isSocket() ? 'a socket' : 'a pipe or a device';
}

/**
 * Writes a new file. With `durable` it survives a power cut. The system refuses a path that exists, even when it is a
 * link.
 * @param file its absolute path, which must not exist
 * @param bytes its content
 * @param options `mode`: mode of the new file, reduced by the user's umask; `like`: permissions to take over exactly;
 * `durable`: wait for the disk
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
  // When root edits another user's service, the files keep their owner. Other users cannot change owners and need
  // not.
  if (process.getuid?.() === 0) fchownSync(descriptor, like.uid, like.gid);
  fchmodSync(descriptor, like.mode);
}

/**
 * Creates one folder. `mkdir` with `recursive` is not used: it reports a read-only file system as a missing folder.
 * @param folder its absolute path; it may exist already, its parent must exist
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    // The folder exists: another process created it, or its name differs only in case on a case-insensitive file
    // system.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Makes the changes to a folder's entries (created, renamed or removed files) survive a power cut.
 * @param folder its absolute path
 */
export function syncFolder(folder: string): void {
  // Windows cannot open a folder for this. NTFS journals its entries itself.
  if (isWindows) return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Renames atomically and replaces the target.
 * @param from absolute path of the file or folder
 * @param to its new absolute path, on the same file system
 */
export function replaceFile(from: string, to: string): void {
  patiently(() => renameSync(from, to));
}

/**
 * @param file absolute path of a file to remove; it may be missing already
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
 * @param folder absolute path of a folder; it is removed when it exists and is empty
 * @returns whether it was removed
 */
export function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    // The folder is not empty, missing, a mount point, or not ours to remove. A remaining folder does no harm.
    return false;
  }
}

/**
 * Removes a folder and its parents while they are empty.
 * @param folder absolute path of the folder
 * @param root absolute path of the folder to stop at; it is never removed
 */
export function removeEmptyUpTo(folder: string, root: string): void {
  for (let at = folder; at.startsWith(root + sep) && removeIfEmpty(at);) at = dirname(at);
}

/** Delays (ms) between attempts on Windows, where a virus scanner or an editor may hold a file. */
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
