import { hasConflictMarkers } from '../conflictMarkers.ts';
import { badInput } from '../errors.ts';
import { isObject } from '../json.ts';
import { manifestPath } from '../manifest.ts';
import type { Ownership } from '../module.ts';

/** A file as it is on disk. */
export interface DiskFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string;
}

/** What Slipway remembers of one file it wrote. */
export interface LockedFile {
  readonly module: string;
  readonly ownership: Ownership;
  /** SHA-256 of the base: the bytes last written, in lower-case hex. */
  readonly hash: string;
  /** Where the user moved the file to. */
  readonly at?: string;
  /** The user had written the file himself: removing the module leaves it. */
  readonly adopted?: true;
}

/** `.slipway/lock.json`. */
export interface Lock {
  readonly version: 1;
  readonly catalogue: string;
  readonly files: Readonly<Record<string, LockedFile>>;
}

export const lockPath = '.slipway/lock.json';
export const objectsFolder = '.slipway/objects/';

/**
 * @param hash SHA-256 of a base, in hex
 * @returns where its bytes are kept, relative to the service's root
 */
export function objectPath(hash: string): string {
  return `${objectsFolder}${hash}`;
}

/**
 * @param lock what is remembered
 * @returns the text of `.slipway/lock.json`, files sorted by path
 */
export function printLock(lock: Lock): string {
  const files = Object.entries(lock.files).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify({ ...lock, files: Object.fromEntries(files) }, null, 2)}\n`;
}

const restore = `restore it from version control: git checkout -- ${lockPath}`;

/**
 * Reads the lock, which anybody may have edited.
 * @param text content of `.slipway/lock.json`
 * @param checkPath throws when a path leads out of the service
 * @returns the lock
 * @throws SlipwayError (exit code 2) when it is damaged, names a file outside the service or is of a newer version
 */
export function parseLock(text: string, checkPath: (path: string) => void): Lock {
  const value = json(text);
  if (!isObject(value) || !isObject(value['files']) || typeof value['catalogue'] !== 'string') {
    throw badInput(`${lockPath} is damaged: it does not hold a lock`, restore);
  }
  if (value['version'] !== 1) {
    throw badInput(
      `${lockPath} has version ${JSON.stringify(value['version'])}; this Slipway understands 1`,
      'run a newer one: npx create-slipway@latest',
    );
  }
  for (const [path, file] of Object.entries(value['files'])) {
    checkPath(path);
    if (!isLockedFile(file) || isOwn(path) || isOwn(file.at))
      throw badInput(`${lockPath} is damaged at ${path}`, restore);
    if (file.at !== undefined) checkPath(file.at);
  }
  // Every field has just been checked.
  return value as unknown as Lock;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (hasConflictMarkers(text)) {
      throw badInput(
        `${lockPath} holds a conflict that nobody has resolved`,
        `take one side (git checkout --theirs -- ${lockPath}), then bring the service to slipway.json with: slipway update`,
      );
    }
    throw badInput(`${lockPath} is damaged: it is not JSON`, restore);
  }
}

/** What Slipway keeps for itself is no file of the templates. */
function isOwn(path: string | undefined): boolean {
  return path === manifestPath || path === lockPath || path?.startsWith(objectsFolder) === true;
}

function isLockedFile(value: unknown): value is LockedFile {
  return (
    isObject(value) &&
    typeof value['module'] === 'string' &&
    ['managed', 'merged', 'seed', 'derived'].includes(String(value['ownership'])) &&
    typeof value['hash'] === 'string' &&
    /^[0-9a-f]{64}$/.test(value['hash']) &&
    (value['at'] === undefined || typeof value['at'] === 'string') &&
    (value['adopted'] === undefined || value['adopted'] === true)
  );
}
