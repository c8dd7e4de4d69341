import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { badInput, exitCodes } from '../engine/errors.ts';
import { decode } from '../engine/fileSet.ts';
import { manifestPath } from '../engine/manifest.ts';
import { type DiskFile, type Lock, lockPath, objectPath, objectsFolder, parseLock } from '../engine/reconcile/lock.ts';
import type { Service } from '../engine/reconcile/service.ts';
import { codeOf, osFault } from './faults.ts';
import { assertSafePath, resolveInside } from './paths.ts';
import { hashOf, listFiles, readFileInside } from './tree.ts';

/**
 * Looks for the service that a folder belongs to.
 * @param from an absolute path
 * @returns the nearest folder upwards that holds `slipway.json`
 * @throws SlipwayError (exit code 2) when there is none
 */
export function findService(from: string): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (readFileInside(folder, manifestPath) !== undefined) return folder;
    if (path.dirname(folder) === folder) break;
  }
  throw badInput(
    `${from} is not inside a service: there is no ${manifestPath} here or above`,
    'change into a service, name one with --cwd, or start one with create-slipway',
  );
}

/**
 * Opens a service, or a folder that is to become one.
 * @param root the folder; it need not exist
 * @returns what is there; files are read when asked for, and only once
 * @throws SlipwayError (exit code 2) when what Slipway keeps there is damaged
 */
export function openService(root: string): Service {
  const files = new Map<string, DiskFile | undefined>();
  const isThere = existsSync(root);
  const read = (file: string): DiskFile | undefined => {
    if (!files.has(file)) files.set(file, isThere ? readFileInside(root, file) : undefined);
    return files.get(file);
  };
  const manifestText = textOf(read(manifestPath), manifestPath);
  return {
    manifestText,
    lock: readLock(manifestText, textOf(read(lockPath), lockPath)),
    read,
    base: (hash) => readBase(hash, read),
    files: () => (isThere ? listFiles(root) : []),
    objects: () => (isThere ? listObjects(root) : []),
    hash: hashOf,
  };
}

/**
 * @param file a path as the user gave it
 * @param cwd what it is relative to
 * @param root the service's folder
 * @returns the path from the service's root, with `/`
 * @throws SlipwayError (exit code 2) when it is outside the service
 */
export function pathInService(file: string, cwd: string, root: string): string {
  const relative = path.relative(root, path.resolve(cwd, file)).replaceAll(path.sep, '/');
  if (relative === '' || relative === '..' || relative.startsWith('../') || path.isAbsolute(relative)) {
    throw badInput(`${file} is not a file of the service in ${root}`);
  }
  return relative;
}

function readLock(manifestText: string | undefined, lockText: string | undefined): Lock {
  if (lockText !== undefined) return parseLock(lockText, assertSafePath);
  if (manifestText === undefined) return { version: 1, catalogue: '', files: {} };
  throw badInput(
    `${lockPath} is missing: without it Slipway cannot tell your edits from its own files`,
    'restore it from version control: git checkout -- .slipway',
  );
}

function readBase(hash: string, read: Service['read']): Uint8Array {
  const file = objectPath(hash);
  const found = read(file);
  if (found?.hash === hash) return found.bytes;
  throw badInput(
    `${file} ${found === undefined ? 'is missing' : 'was changed'}: without it your edits cannot be merged`,
    `restore it from version control: git checkout -- ${file}`,
  );
}

function listObjects(root: string): string[] {
  try {
    return readdirSync(resolveInside(root, objectsFolder.slice(0, -1))).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw osFault(error, `cannot list ${objectsFolder}`, exitCodes.badInput);
  }
}

function textOf(file: DiskFile | undefined, name: string): string | undefined {
  if (file === undefined) return undefined;
  const text = decode(file.bytes);
  if (text === undefined)
    throw badInput(`${name} is not a text file`, `restore it from version control: git checkout -- ${name}`);
  return text;
}
