import { badInput } from '../errors.ts';
import { isObject } from '../json.ts';
import { isNewer, manifestPath, schemaPath } from '../manifest.ts';
import type { JsonObject, Lock, LockedFile } from '../model.ts';
import { encode } from '../text.ts';

/** One line of a lock. */
export interface LockRecord extends LockedFile {
  readonly path: string;
}

/** The lines of a lock. A merge by Git may leave several lines for one path, in any order. */
export interface LockLines {
  readonly catalogue: string;
  readonly records: readonly LockRecord[];
  /** Records with a wrong checksum: someone edited the line. */
  readonly edited: readonly LockRecord[];
  /** The first fault that makes a line unreadable. */
  readonly fault?: string;
}

export const lockPath = '.slipway/lock.jsonl';
export const basesPath = '.slipway/base.jsonl';
/** The lock of version 1. Slipway reads it and then replaces it. */
export const oldLockPath = '.slipway/lock.json';
/** The folder with the bases of version 1. It contains one file for each base, named by its hash. */
export const oldBasesFolder = '.slipway/objects';

const version = 2;

/** SHA-256, in hex. */
type Hash = (bytes: Uint8Array) => string;

/**
 * @param lock the state to print
 * @param hash SHA-256, in hex
 * @returns the text of `.slipway/lock.jsonl`: a header, then one line for each file, sorted by path
 */
export function printLock({ catalogue, files }: Lock, hash: Hash): string {
  const lines = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, file]) => {
      const record = recordOf({ ...file, path });
      return JSON.stringify({ ...record, sum: checksum(record, hash) });
    });
  return `${[JSON.stringify({ version, catalogue }), ...lines].join('\n')}\n`;
}

/** Returns the fields of a record in a fixed order. */
function recordOf({ path, module, ownership, hash, at, adopted }: LockRecord): LockRecord {
  return { path, module, ownership, hash, ...(at === undefined ? {} : { at }), ...(adopted ? { adopted } : {}) };
}

/** Returns the checksum of a record. Eight digits are enough, because it detects edited lines and does not protect from attacks. */
function checksum(record: LockRecord, hash: Hash): string {
  return hash(encode(JSON.stringify(record))).slice(0, 8);
}

/** A line that separates the sides of a Git conflict. Each other line is valid by itself, so Slipway reads both sides. */
const conflictMarker = /^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/;

/** The max number of lines for one file: one for each branch that git has merged. */
const mostLines = 16;

/**
 * Parses the lines of a lock. Anyone may have edited them.
 * @param text content of `.slipway/lock.jsonl`
 * @param hash SHA-256, in hex
 * @param checkPath throws when a path leads out of the service
 * @returns the lines, in any order
 * @throws SlipwayError (exit code 2) when a line names a file outside the service, or when the lock has a newer version
 */
export function parseLock(text: string, hash: Hash, checkPath: (path: string) => void): LockLines {
  const [records, edited]: [LockRecord[], LockRecord[]] = [[], []];
  let catalogue: string | undefined;
  const counts = new Map<string, number>();
  let fault: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trimEnd();
    if (trimmed === '' || conflictMarker.test(trimmed)) continue;
    const value = json(trimmed);
    if (isHeader(value)) {
      refuseNewer(value['version'], lockPath);
      catalogue = catalogue === undefined || isNewer(value['catalogue'], catalogue) ? value['catalogue'] : catalogue;
      continue;
    }
    const record = checked(value, checkPath);
    const count = (counts.get(record?.path ?? '') ?? 0) + 1;
    if (record !== undefined) counts.set(record.path, count);
    if (record === undefined) fault ??= `line ${index + 1} is no record of a file`;
    else if (count > mostLines) fault ??= `line ${index + 1} is one of more than ${mostLines} for the same file`;
    else if (isObject(value) && value['sum'] === checksum(record, hash)) records.push(record);
    else edited.push(record);
  }
  if (catalogue === undefined) fault ??= 'it has no header';
  return { catalogue: catalogue ?? '', records, edited, ...(fault === undefined ? {} : { fault }) };
}

/**
 * Parses a lock of version 1.
 * @param text content of `.slipway/lock.json`
 * @param checkPath throws when a path leads out of the service
 * @returns its content, as lines
 * @throws SlipwayError (exit code 2) when it names a file outside the service, or when it has a newer version
 */
export function parseOldLock(text: string, checkPath: (path: string) => void): LockLines {
  const value = json(text);
  if (!isObject(value) || !isObject(value['files']) || typeof value['catalogue'] !== 'string')
    return { catalogue: '', records: [], edited: [], fault: 'it does not hold a lock' };
  refuseNewer(value['version'], oldLockPath);
  const records: LockRecord[] = [];
  let fault: string | undefined;
  for (const [path, file] of Object.entries(value['files'])) {
    const record = checked(isObject(file) ? { ...file, path } : file, checkPath);
    if (record === undefined) fault ??= `the entry ${JSON.stringify(path.slice(0, 60))} is no record of a file`;
    else records.push(record);
  }
  return { catalogue: value['catalogue'], records, edited: [], ...(fault === undefined ? {} : { fault }) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is JsonObject & { catalogue: string } {
  return isObject(value) && typeof value['catalogue'] === 'string' && !('path' in value);
}

function refuseNewer(found: unknown, file: string): void {
  if (typeof found === 'number' && found <= version) return;
  throw badInput(
    `${file} has version ${typeof found === 'number' ? found : 'unknown'}; this Slipway reads versions up to ${version}`,
    'run a newer Slipway: npx create-slipway@latest',
  );
}

/** @returns the record; undefined when the value is not a record */
function checked(value: unknown, checkPath: (path: string) => void): LockRecord | undefined {
  if (!isRecord(value)) return undefined;
  checkPath(value.path);
  if (value.at !== undefined) checkPath(value.at);
  return isReserved(value.path) || (value.at !== undefined && isReserved(value.at)) ? undefined : recordOf(value);
}

/**
 * @param path of a file inside a service
 * @returns whether the file is part of a store of version 1; the next command that writes replaces that store
 */
export function isOfOldStore(path: string): boolean {
  return path === oldLockPath || path.startsWith(`${oldBasesFolder}/`);
}

/**
 * @param path of a file inside a service
 * @returns whether the file is Slipway's own state and not a template file
 */
export function isOwn(path: string | undefined): boolean {
  return path !== undefined && ([manifestPath, lockPath, basesPath].includes(path) || isOfOldStore(path));
}

/**
 * Compares as disks do that ignore letter case, and the two ways to write a letter with an accent.
 * @param path of a file inside a service
 * @returns whether it is the manifest, or in Slipway's own folder. The files there that a template brings, or brought in 0.1.0, are left out
 */
export function isReserved(path: string): boolean {
  const name = path.normalize('NFC').toLowerCase();
  return (
    ![schemaPath, '.slipway/.gitattributes'].includes(path) &&
    (name === manifestPath || name === '.slipway' || name.startsWith('.slipway/'))
  );
}

/**
 * @param path of a file that a plan changes
 * @throws SlipwayError (exit code 2) when it is in Slipway's own folder and is not Slipway's state
 */
export function refuseReserved(path: string): void {
  if (isReserved(path) && !isOwn(path)) {
    throw badInput(`${path} is where Slipway keeps its own state`, 'give the file another path');
  }
}

function isRecord(value: unknown): value is LockRecord {
  return (
    isObject(value) &&
    typeof value['path'] === 'string' &&
    typeof value['module'] === 'string' &&
    /^[a-z0-9:-]{1,120}$/.test(value['module']) &&
    ['managed', 'merged', 'seed', 'derived'].includes(String(value['ownership'])) &&
    typeof value['hash'] === 'string' &&
    /^[0-9a-f]{64}$/.test(value['hash']) &&
    (value['at'] === undefined || typeof value['at'] === 'string') &&
    (value['adopted'] === undefined || value['adopted'] === true)
  );
}
