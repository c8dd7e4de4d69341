import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, sep } from 'node:path';

import { codeOf } from './faults.ts';

const isWindows = process.platform === 'win32';

/** What a new file takes over from the one it will replace. */
export interface Permissions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes a new file so that it survives a power cut.
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
