import { hash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';

import { exitCodes, SlipwayError } from '../engine/errors.ts';
import { encode } from '../engine/text.ts';
import { manifestPath } from '../engine/manifest.ts';
import type { DiskFile } from '../engine/model.ts';
import { kindOf, readRegularFile } from './disk.ts';
import { codeOf, osFault } from './faults.ts';
import { isInOwnFolder, lstatIfAny, pathFault, realRootOf, resolveInside } from './paths.ts';

/**
 * @param bytes any bytes
 * @returns their SHA-256 (FIPS 180-4), in lower-case hex
 */
export function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}

/** The max size (bytes) of a file of the service. Parsing and merging take several times the size in memory. */
const largest = 8 * 2 ** 20;
/** The max size (bytes) of a file to search for text of Slipway, and for imports. A longer one is not written by hand. */
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
  return readWithLocation(root, path)?.file;
}

/** A file, or what is in its place. */
export interface Place {
  readonly file: DiskFile;
  /** The absolute location of the file, after following links. */
  readonly location?: string;
}

function readWithLocation(root: string, path: string): Place | undefined {
  const location = resolveInside(root, path);
  try {
    const found = readRegularFile(location, { name: path, follow: false, limit: largest });
    if (found === undefined) return undefined;
    return { file: { bytes: found.bytes, mode: found.stat.mode & 0o777, hash: hashOf(found.bytes) }, location };
  } catch (error) {
    throw osFault(error, `cannot read ${path}`, exitCodes.badInput);
  }
}

/**
 * The same as `readFileInside`, for files that the user may replace by something else.
 * @param root the service's folder
 * @param path the file's path inside it
 * @returns the file, or what is in its place; undefined when nothing is there
 * @throws SlipwayError bad input when it cannot be read, or is too large; for Slipway's own files as `readFileInside`
 */
export function readPlace(root: string, path: string): Place | undefined {
  const special = path === manifestPath || isInOwnFolder(path) ? undefined : specialAt(root, path);
  if (special === undefined) return readWithLocation(root, path);
  const bytes = encode(special);
  return { file: { bytes, mode: 0o644, hash: hashOf(bytes), special } };
}

function specialAt(root: string, path: string): string | undefined {
  try {
    const stat = lstatIfAny(resolveInside(root, path));
    return stat === undefined || stat.isFile() ? undefined : kindOf(stat);
  } catch (error) {
    if (error instanceof SlipwayError && 'link' in error.details) return error.message.replace(/^.* is (?=a link)/, '');
    throw error;
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
/** Folders of output or of a running Slipway, at the service's root only: `internal/coverage` may be a domain slice. */
const skippedAtRoot = new Set(['dist', 'coverage', '.slipway/tx']);

/** The max number of files in a service. */
const mostFiles = 20_000;

/**
 * Lists the user's own files. It leaves out what `listPaths` leaves out, Slipway's files, links, pipes and devices, and files too large to search.
 * @param root the service's folder
 * @param listed paths in it that git does not ignore; undefined without git
 * @param limit the max number of files
 * @returns their paths relative to the root, `/` between parts, in order of code units
 * @throws SlipwayError when there are more files than the limit
 */
export function listFiles(root: string, listed?: readonly string[], limit = mostFiles): string[] {
  const realRoot = realRootOf(root);
  return listPaths(root, listed, limit).filter((path) => {
    if (isInOwnFolder(path)) return false;
    const stat = lstatIfAny(join(realRoot, path));
    return stat?.isFile() === true && stat.size <= largestSearched;
  });
}

/**
 * Lists what is in a folder, without dependencies, build output, nested git repositories, folders that the user may not read (a database's
 * data, for example), and names that a service's file cannot have, or that
 * secrets have.
 * @param root the folder
 * @param listed paths in it that git does not ignore; without git, everything is listed
 * @param limit the max number of paths
 * @returns paths of everything but folders, relative to the root, `/` between parts, in order of code units
 * @throws SlipwayError when there are more paths than the limit
 */
export function listPaths(root: string, listed?: readonly string[], limit = mostFiles): string[] {
  const realRoot = realRootOf(root);
  const paths: string[] = [];
  for (const path of listed === undefined ? walk(realRoot) : listed.filter((name) => !isInSkipped(name))) {
    if (pathFault(path) === undefined) paths.push(path);
    if (paths.length <= limit) continue;
    throw new SlipwayError(exitCodes.failed, `${root} holds more than ${limit} files`, {
      hint: 'run the command in the folder of a service, and keep data out of it, or let git ignore the data',
      details: { limit },
    });
  }
  return paths.toSorted();
}

function* walk(realRoot: string): Generator<string> {
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(join(realRoot, folder), folder === '')) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory()) yield path;
      else if (!isSkipped(path) && !existsSync(join(realRoot, path, '.git'))) folders.push(path);
    }
  }
}

function isSkipped(folder: string): boolean {
  return skippedEverywhere.has(folder.slice(folder.lastIndexOf('/') + 1)) || skippedAtRoot.has(folder);
}

function isInSkipped(path: string): boolean {
  return [...path.matchAll(/\//g)].some(({ index }) => isSkipped(path.slice(0, index)));
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
