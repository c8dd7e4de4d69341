import { manifestPath } from '../manifest.ts';
import type { Catalogue, Change, ConflictMode, Lock, Manifest, Merge, PlanEntry, Service } from '../model.ts';
import { plan } from './plan.ts';
import { modulesOf } from '../resolve.ts';
import { decode } from '../text.ts';
import { parseJson } from '../parseManifest.ts';
import { render } from '../render.ts';
import { bookkeeping } from './bookkeeping.ts';
import { refuseDanglingImports } from './dangling.ts';
import { followRenames } from './follow.ts';
import { planJoined } from './joined.ts';
import { moveAlong, pendingFolders, type Renames, renamedTo } from './renames.ts';

/** What a command wants of a service. */
export interface Request {
  readonly catalogue: Catalogue;
  /** From what the manifest holds (undefined before the first) to what it shall hold: the one thing in which commands differ. */
  readonly edit: (present: unknown) => Manifest;
  readonly conflict: ConflictMode;
  readonly merge: Merge;
}

/** A plan, with all that is needed to carry it out. */
export interface Prepared {
  /** Files of the service that something happens to, or that are worth a word. */
  readonly entries: readonly PlanEntry[];
  /** All that is written, with the manifest and what Slipway remembers. */
  readonly changes: readonly Change[];
  /** A file's content before. */
  readonly before: (path: string) => Uint8Array | undefined;
}

/**
 * Plans what a command asks for. Pure: nothing is written.
 * @param service as it is now
 * @param request the manifest as it must become, and how conflicts are settled
 * @returns the plan and its changes
 * @throws SlipwayError when the service is damaged, or the user's code still needs what would go
 */
export function prepare(service: Service, { catalogue, edit, conflict, merge }: Request): Prepared {
  const present = service.manifestText === undefined ? undefined : parseJson(service.manifestText);
  const wanted = edit(present);
  const renames = renamesOf(wanted, catalogue);
  const folders = pendingFolders(renames, [...Object.keys(service.lock.files), ...(wanted.ejected ?? [])]);
  const manifest = withEjected(wanted, folders);
  const planned = planJoined(
    {
      theirs: render(manifest, catalogue),
      lock: service.lock,
      base: service.base,
      yours: { read: service.read, untracked: () => untrackedOf(service) },
      ejected: manifest.ejected ?? [],
      renamed: renamedFiles(renames, folders, service.lock),
      catalogue: catalogue.version,
      conflict,
      merge,
      hash: service.hash,
    },
    plan,
  );
  const result = followRenames(service, moveAlong(service, planned, folders));
  if (!result.entries.some((entry) => entry.action === 'conflict')) refuseDanglingImports(service, result);
  return {
    entries: result.entries,
    changes: [
      ...result.entries.flatMap((entry) => entry.changes),
      ...bookkeeping(service, result, manifestText(service, present, manifest, merge)),
    ],
    before: (path) => service.read(path)?.bytes,
  };
}

/** The manifest's new text: only what the command changes is touched, the rest stays as the user formatted it. */
function manifestText({ manifestText: text }: Service, present: unknown, manifest: Manifest, merge: Merge): string {
  const wanted = `${JSON.stringify(manifest, null, 2)}\n`;
  return text === undefined
    ? wanted
    : merge(manifestPath, JSON.stringify(present, null, 2), text, wanted, 'theirs').text;
}

function renamesOf(manifest: Manifest, catalogue: Catalogue): Renames {
  return Object.fromEntries(modulesOf(manifest, catalogue).flatMap(({ renamed = {} }) => Object.entries(renamed)));
}

/** Each file that the templates renamed, alone or with its folder: former path → path now. */
function renamedFiles(renames: Renames, folders: Renames, lock: Lock): ReadonlyMap<string, string> {
  const inFolders = Object.keys(lock.files).flatMap((path) => {
    const to = renamedTo(path, folders);
    return to === undefined ? [] : [[path, to] as const];
  });
  return new Map([...inFolders, ...Object.entries(renames).filter(([from]) => !from.endsWith('/'))]);
}

/** An ejected file moves with its folder, and stays ejected. */
function withEjected(manifest: Manifest, folders: Renames): Manifest {
  const { ejected } = manifest;
  if (ejected === undefined || Object.keys(folders).length === 0) return manifest;
  return { ...manifest, ejected: [...new Set(ejected.map((path) => renamedTo(path, folders) ?? path))].sort() };
}

/** The user's text files that Slipway did not write. */
function untrackedOf({ files, lock, read }: Service): ReadonlyMap<string, string> {
  const known = new Set(Object.entries(lock.files).map(([path, { at }]) => at ?? path));
  const untracked = new Map<string, string>();
  for (const path of files()) {
    if (known.has(path) || path === manifestPath) continue;
    const found = read(path);
    const text = found === undefined ? undefined : decode(found.bytes);
    if (text !== undefined) untracked.set(path, text);
  }
  return untracked;
}
