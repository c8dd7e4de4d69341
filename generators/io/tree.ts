import { hash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';

import { exitCodes, SlipwayError } from '../engine/errors.ts';
import type { DiskFile } from '../engine/model.ts';
import { readRegularFile } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { pathFault, realRootOf, resolveInside } from './paths.ts';

/**
 * @param bytes any bytes
 * @returns their SHA-256 (FIPS 180-4), in lower-case hex
 */
export function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}

/** The max size (bytes) of a file of the service. Parsing and merging take several times the size in memory. */
const largest = 8 * 2 ** 20;
/** The max size (bytes) of a file to search for text of Slipway, and for imports. Nobody writes a longer one by hand. */
const largestSearched = 2 * 2 ** 20;

/**
 * Reads one file of the service.
 * @param root the service's folder
 * @param path the file's path inside it
 * @returns the file; undefined when it does not exist
 * @throws SlipwayError bad input when it cannot be read, is not a regular file, is too large, or is behind a link
 * that leads out
 */
export function readFileInside(root: string, path: string): DiskFile | undefined {
  return readWithPlace(root, path)?.file;
}

/**
 * The same as `readFileInside`, for a caller that needs to know where a link leads.
 * @param root the service's folder
 * @param path the file's path inside it
 * @returns the file, and its real location; undefined when it does not exist
 */
export function readWithPlace(root: string, path: string): { file: DiskFile; place: string } | undefined {
  const place = resolveInside(root, path);
  try {
    const found = readRegularFile(place, { name: path, follow: false, limit: largest });
    if (found === undefined) return undefined;
    return { file: { bytes: found.bytes, mode: found.stat.mode & 0o777, hash: hashOf(found.bytes) }, place };
  } catch (error) {
    throw osFault(error, `cannot read ${path}`, exitCodes.badInput);
  }
}

/**
 * @param root the service's folder
 * @param folder a folder's path inside it
 * @returns the names in it, sorted; empty when it does not exist
 * @throws SlipwayError bad input when it cannot be read, or is behind a link that leads out
 */
export function listFolder(root: string, folder: string): string[] {
  try {
    return readdirSync(resolveInside(root, folder)).toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw osFault(error, `cannot list the folder ${folder}`, exitCodes.badInput);
  }
}

/** Folders without the user's own files, at any depth. */
const skippedEverywhere = new Set(['.git', 'node_modules']);
/** Folders of output or of Slipway, at the service's root only: `internal/coverage` may be a domain slice. */
const skippedAtRoot = new Set(['dist', 'coverage', '.slipway']);

/**
 * Lists the user's own files. It leaves out dependencies, build output, nested git repositories, Slipway's files,
 * links, folders that the user may not read (a database's data, for example), files too large to search, and names that
 * a service's file cannot have, or that secrets have.
 * @param root the service's folder
 * @param options `limit`: the max number of files
 * @returns their paths relative to the root, `/` between parts, in order of code units
 * @throws SlipwayError when there are more files than the limit
 */
export function listFiles(root: string, options: { readonly limit?: number } = {}): string[] {
  const limit = options.limit ?? 20_000;
  const realRoot = realRootOf(root);
  const files: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(join(realRoot, folder), folder === '')) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (pathFault(path) !== undefined) continue;
      if (entry.isFile() && isSmall(join(realRoot, path))) files.push(path);
      else if (entry.isDirectory() && !isSkipped(realRoot, path)) folders.push(path);
    }
    if (files.length > limit) {
      throw new SlipwayError(exitCodes.failed, `${root} holds more than ${limit} files`, {
        hint: 'run the command in the folder of a service, and keep data out of it',
        details: { limit },
      });
    }
  }
  return files.toSorted();
}

function isSkipped(realRoot: string, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return skippedEverywhere.has(name) || skippedAtRoot.has(path) || existsSync(join(realRoot, path, '.git'));
}

function isSmall(file: string): boolean {
  return (lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) <= largestSearched;
}

/** The entries of a folder. Empty when the folder does not exist, or is below the root and cannot be read. */
function entriesOf(folder: string, isRoot: boolean): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'ENOENT' || (!isRoot && ['EACCES', 'EPERM', 'ENOTDIR'].includes(code))) return [];
    throw osFault(error, `cannot list the folder ${folder}`, exitCodes.badInput);
  }
}
