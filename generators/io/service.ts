import { existsSync } from 'node:fs';
import path from 'node:path';
import { badInput, SlipwayError } from '../engine/errors.ts';
import { manifestPath } from '../engine/manifest.ts';
import type { DiskFile, Lock, Service } from '../engine/model.ts';
import { lockPath } from '../engine/reconcile/lock.ts';
import { decode } from '../engine/text.ts';
import { isBelowGit, realRootOf } from './paths.ts';
import { openStore, outdatedFiles, type Past, type Store } from './store.ts';
import { hashOf, listFiles, readFileInside, readPlace } from './tree.ts';

/**
 * Finds the service of a folder.
 * @param from an absolute path
 * @returns the nearest folder upwards that has `slipway.json`
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

/** The max size (bytes) of all text files that one command reads. */
const largestService = 256 * 2 ** 20;
const slim = 'keep data out of the service, or let git ignore it';

/** A service on disk. */
export interface OpenService extends Service, Pick<Store, 'isKept' | 'lost'> {
  /** The files that links led to, of all files read so far. */
  readonly linked: readonly string[];
}

/**
 * Opens a service, or the folder of a future service.
 * @param root the folder; it need not exist
 * @param past the content of `.slipway/` in Git's history, if that has been searched
 * @param listed paths of the files that git does not ignore, if git was asked
 * @param sparse the files that Git has not checked out, if Git was asked
 * @returns the service; each file is read on demand, once
 * @throws SlipwayError (exit code 2) when the manifest cannot be read; reading a damaged lock throws as well
 */
export function openService(
  root: string,
  past?: Past,
  listed?: readonly string[],
  sparse?: ReadonlySet<string>,
): OpenService {
  const files = new Map<string, DiskFile | undefined>();
  const isThere = existsSync(root);
  const realRoot = realRootOf(root);
  const linked: string[] = [];
  let size = 0;
  const read = (file: string): DiskFile | undefined => {
    if (files.has(file)) return files.get(file);
    const place = isThere ? readPlace(root, file) : undefined;
    const { location } = place ?? {};
    if (location !== undefined && location !== path.join(realRoot, file))
      linked.push(path.relative(realRoot, location));
    // Binary files are neither merged nor searched, so nothing keeps them in memory.
    if (place?.file.bytes.includes(0)) return place.file;
    size += place?.file.bytes.length ?? 0;
    if (size > largestService) throw badInput(`the text files of ${root} have more than ${largestService} bytes`, slim);
    files.set(file, place?.file);
    return place?.file;
  };
  const manifestText = textOf(read(manifestPath), manifestPath);
  // Refuses a link in place of `.slipway/` before any other step.
  read(lockPath);
  const store = openStore(read, manifestText !== undefined, past);
  return {
    manifestText,
    get lock() {
      return store.lock();
    },
    read,
    base: store.base,
    isKept: store.isKept,
    lost: store.lost,
    ...(sparse && { sparse }),
    files: () => {
      if (!isThere) return [];
      const places = placesIn(store.lock());
      return spelledAs(places, listFiles(root, listed && [...new Set([...listed, ...places])]), read);
    },
    outdated: () => (isThere ? outdatedFiles(root) : []),
    hash: hashOf,
    linked,
  };
}

/**
 * Calls `use` with the service. When something in `.slipway/` is damaged or missing, it searches Git's history and
 * calls `use` again with the result.
 * @param root the service's folder
 * @param use reads the service and writes nothing
 * @returns the result of `use`
 */
export async function withPast<T>(root: string, use: (service: OpenService) => T): Promise<T> {
  const listed = isBelowGit(realRootOf(root)) && existsSync(root) ? await listing(root) : undefined;
  const service = await openSparse(root, undefined, listed);
  try {
    const result = use(service);
    if (service.lost.size === 0) return await unlessIgnored(service, root, result);
  } catch (error) {
    if (service.lost.size === 0) throw error;
  }
  const { readPast } = await import('./past.ts');
  const restored = await openSparse(root, await readPast(root, service.lost), listed);
  return unlessIgnored(restored, root, use(restored));
}

/** Refuses a result that was made from ignored files. They may hold secrets of this machine, and the result is printed. */
async function unlessIgnored<T>(service: OpenService, root: string, result: T): Promise<T> {
  await refuseIgnored(root, service.linked);
  return result;
}

/**
 * Refuses files that git ignores. Others than the user may have named them as files of the service, and Slipway would
 * print them or change them.
 * @param root the service's folder
 * @param files paths inside it
 * @throws SlipwayError (exit code 2) when git ignores one of them
 */
export async function refuseIgnored(root: string, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  const { ignoredFiles } = await import('./git.ts');
  const [ignored] = await ignoredFiles(root, files);
  if (ignored === undefined) return;
  throw badInput(
    `git ignores ${ignored}, so it cannot be a file of Slipway`,
    `move it away; or remove the link, or "at" in ${lockPath}, that leads to it`,
  );
}

/**
 * Refuses to delete files that git does not have: nothing would bring them back.
 * @param root the service's folder
 * @param files edited files that only the lock calls files of Slipway; anyone may have written the lock
 * @throws SlipwayError (exit code 2) when git does not track one of them
 */
export async function refuseUntracked(root: string, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  const { untrackedFiles } = await import('./git.ts');
  const [untracked] = await untrackedFiles(root, files);
  if (untracked === undefined) return;
  throw badInput(
    `git does not track ${untracked}, and no template has this file, so Slipway does not delete it`,
    'delete it yourself, or add it to git first; nothing was written',
  );
}

/** Opens a service that may be a sparse checkout. */
async function openSparse(root: string, past?: Past, listed?: readonly string[]): Promise<OpenService> {
  const service = openService(root, past, listed);
  const sparse = await sparseIn(root, service);
  return sparse.size === 0 ? service : openService(root, past, listed, sparse);
}

/** Asks Git which files are not checked out, when a file that Slipway wrote is missing. */
async function sparseIn(root: string, service: OpenService): Promise<ReadonlySet<string>> {
  const nothing: ReadonlySet<string> = new Set();
  try {
    const places = Object.entries(service.lock.files).map(([home, { at }]) => at ?? home);
    if (places.every((place) => service.read(place) !== undefined)) return nothing;
  } catch (error) {
    // The lock is damaged, or a file cannot be read. The caller's own use of the service reports that.
    if (error instanceof SlipwayError) return nothing;
    throw error;
  }
  return (await import('./git.ts')).sparseFiles(root);
}

/**
 * @param file a path from the user
 * @param cwd the folder that it is relative to
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

/** Asks git for the files. A service that git ignores as a whole is read as without git. */
async function listing(root: string): Promise<readonly string[] | undefined> {
  const { listedByGit } = await import('./git.ts');
  const listed = await listedByGit(root);
  return listed?.includes(manifestPath) ? listed : undefined;
}

/**
 * A file system without letter case lists a file under the name that the user gave it: `Log/logger.ts`. It is the file `log/logger.ts` of
 * the lock, unless the list has both.
 */
function spelledAs(places: readonly string[], files: readonly string[], read: Service['read']): string[] {
  const listed = new Set(files);
  const known = new Map(places.map((place) => [place.toLowerCase(), place]));
  return files.map((file) => {
    const place = known.get(file.toLowerCase());
    return place === undefined || listed.has(place) || read(place) === undefined ? file : place;
  });
}

/** The paths of Slipway's files, also of those that git ignores. */
function placesIn({ files }: Lock): string[] {
  return Object.entries(files).map(([home, { at }]) => at ?? home);
}

function textOf(file: DiskFile | undefined, name: string): string | undefined {
  if (file === undefined) return undefined;
  const text = decode(file.bytes);
  if (text === undefined)
    throw badInput(`${name} is not a text file`, `restore it from version control: git checkout -- ${name}`);
  return text;
}
