import { manifestPath } from '../manifest.ts';
import { descriptionFault, serviceNameFault } from '../names.ts';
import type { Catalogue, Change, Lock, Manifest, Merge, Plan, PlanEntry, Service } from '../model.ts';
import { plan, type PlanInput } from './plan.ts';
import { modulesOf } from '../resolve.ts';
import { resourceRenames } from '../resources/resourceModules.ts';
import { decode, encode } from '../text.ts';
import { parseJson, validateManifest } from '../parseManifest.ts';
import { render } from '../render.ts';
import { bookkeeping } from './bookkeeping.ts';
import { keepNeeded, neededPackages, refuseDanglingImports, withoutPackages } from './dangling.ts';
import { followRenames } from './follow.ts';
import { planJoined } from './joined.ts';
import { type ConflictRule, policyOf, ruleFor } from './policy.ts';
import type { FaultyFile } from './merge/format.ts';
import { moveAlong, pendingFolders, type Renames, renamedTo } from './renames.ts';

/** The input of a command for one service. */
export interface Request {
  readonly catalogue: Catalogue;
  /** Returns the new manifest for the current one, which is undefined before the first. Commands differ only in this function. */
  readonly edit: (present: unknown) => Manifest;
  /** What happens to conflicts, by path. They come after the rules in the manifest, so they decide. Default: none. */
  readonly conflicts?: readonly ConflictRule[];
  readonly merge: Merge;
}

/** A plan, with everything needed to apply it. */
export interface Prepared {
  /** Files of the service that the plan changes, and files with a note for the user. */
  readonly entries: readonly PlanEntry[];
  /** All writes and removals, including the manifest and Slipway's own state. */
  readonly changes: readonly Change[];
  /** Returns a file's content before the plan. */
  readonly before: (path: string) => Uint8Array | undefined;
  /** Files of the service that are not valid, and that the plan does not correct. */
  readonly faults?: readonly FaultyFile[];
}

/** A plan that is not checked yet, with the new text of the manifest. */
export interface Planned extends Plan {
  readonly manifestText: string;
}

/**
 * Plans a command. The function is pure and writes nothing.
 * @param service the current state of the service
 * @param request the edit of the manifest, and how to resolve conflicts
 * @returns the plan and its changes
 * @throws SlipwayError when the service is damaged, or when the user's code still needs a file or package that the plan removes
 */
export function prepare(service: Service, request: Request): Prepared {
  const planned = planRequest(service, request);
  if (!planned.entries.some((entry) => entry.action === 'conflict')) refuseDanglingImports(service, planned);
  return {
    entries: planned.entries,
    changes: [
      ...planned.entries.flatMap((entry) => entry.changes),
      ...bookkeeping(service, planned, planned.manifestText),
    ],
    before: (path) => service.read(path)?.bytes,
  };
}

/**
 * Plans a command without a check of the user's code.
 * @param service the current state of the service
 * @param request the edit of the manifest, and how to resolve conflicts
 * @returns what to do with each file, and the state to keep
 * @throws SlipwayError when the service is damaged
 */
export function planRequest(service: Service, request: Request): Planned {
  const planned = planOnce(service, request);
  if (service.lock.catalogue === request.catalogue.version) return planned;
  const needed = neededPackages(service, planned);
  return needed.length === 0 ? planned : planOnce(withOwnPackages(service, needed), request);
}

/** Returns the service as if its user had added these packages to package.json: an update leaves them there. */
function withOwnPackages(service: Service, packages: readonly string[]): Service {
  const record = Object.hasOwn(service.lock.files, 'package.json') ? service.lock.files['package.json'] : undefined;
  const base = record && service.base(record.hash);
  if (record === undefined || base === undefined) return service;
  const own = encode(withoutPackages(decode(base) ?? '', packages));
  const hash = service.hash(own);
  return {
    ...service,
    lock: { ...service.lock, files: { ...service.lock.files, 'package.json': { ...record, hash } } },
    base: (wanted) => (wanted === hash ? own : service.base(wanted)),
  };
}

function planOnce(service: Service, request: Request): Planned {
  const { catalogue, edit, conflicts = [], merge } = request;
  const present = service.manifestText === undefined ? undefined : parseJson(service.manifestText);
  const wanted = edit(present);
  const renames = renamesOf(wanted, catalogue);
  const folders = pendingFolders(renames, [...Object.keys(service.lock.files), ...(wanted.ejected ?? [])]);
  const manifest = withRenames(wanted, folders);
  const theirs = render(manifest, catalogue);
  let untracked: ReadonlyMap<string, string> | undefined;
  const planned = planJoined(
    {
      theirs,
      lock: service.lock,
      base: service.base,
      yours: {
        read: service.read,
        untracked: () => (untracked ??= untrackedOf(service)),
        sparse: service.sparse ?? new Set(),
      },
      ejected: manifest.ejected ?? [],
      renamed: renamedFiles(renames, folders, service.lock),
      catalogue: catalogue.version,
      conflicts: [
        ...policyOf(wanted).flatMap((rule) => [rule, { ...rule, paths: renamedTo(rule.paths, folders) ?? rule.paths }]),
        ...conflicts,
      ],
      formerly: formerlyOf(manifest, service, catalogue),
      merge,
      hash: service.hash,
    },
    plan,
  );
  const staying = new Set([...theirs.values()].map(({ module }) => module));
  const { plan: needed, kept } = keepNeeded(service, withoutRewrites(planned, service, present, request), staying);
  return {
    ...followRenames(service, moveAlong(service, needed, folders, kept)),
    manifestText: manifestText(service, present, manifest, merge),
  };
}

/**
 * Refuses to write a migration again, because a database that ran it does not run it again. An edit of `fields` in the manifest by hand
 * asks for it, where the command `resource` adds a migration. The command itself may do so: a migration that refers to a removed
 * resource is printed without it.
 */
function withoutRewrites(
  planned: Plan,
  service: Service,
  present: unknown,
  { catalogue, conflicts = [] }: Request,
): Plan {
  const isRewritten = ({ path, module, action }: PlanEntry): boolean =>
    module.startsWith('resource:') &&
    path.includes('/migrations/') &&
    (action === 'update' || action === 'merge') &&
    ruleFor([path], conflicts)?.choice !== 'theirs';
  if (service.lock.catalogue !== catalogue.version || !planned.entries.some(isRewritten)) return planned;
  const asked = render(validateManifest(present, catalogue), catalogue);
  const isByHand = ({ path }: PlanEntry): boolean => {
    const wanted = asked.get(path)?.bytes;
    return wanted !== undefined && service.lock.files[path]?.hash !== service.hash(wanted);
  };
  const reason =
    'a migration is written once: take your edit of fields in slipway.json back, and make it with slipway resource';
  return {
    ...planned,
    entries: planned.entries.map((entry) =>
      isRewritten(entry) && isByHand(entry)
        ? { ...entry, action: 'conflict', reason, conflicts: [], changes: [] }
        : entry,
    ),
  };
}

/** Returns the files that the current templates give with the former name and description. Returns undefined when both are the same. */
function formerlyOf(manifest: Manifest, service: Service, catalogue: Catalogue): PlanInput['formerly'] {
  const { name, description } = manifest.service;
  const former = formerService(service);
  if (former === undefined || (former.name === name && former.description === description)) return undefined;
  const files = render({ ...manifest, service: former }, catalogue);
  return { name: former.name === name ? undefined : former.name, files };
}

/** Reads the former name and description in package.json as Slipway wrote it. Anyone may have edited that text. */
function formerService({ lock, base }: Service): Manifest['service'] | undefined {
  const record = Object.hasOwn(lock.files, 'package.json') ? lock.files['package.json'] : undefined;
  const bytes = record === undefined ? undefined : base(record.hash);
  const text = (bytes === undefined ? undefined : decode(bytes)) ?? '';
  const [name, description] = ['name', 'description'].map(
    (key) => new RegExp(`^ {2}"${key}": "(.*)",?$`, 'm').exec(text)?.[1],
  );
  if (name === undefined || description === undefined) return undefined;
  return (serviceNameFault(name) ?? descriptionFault(description)) === undefined ? { name, description } : undefined;
}

/** Returns the manifest's new text. Only the values that the command changes differ. The rest keeps the user's format. */
function manifestText({ manifestText: text }: Service, present: unknown, manifest: Manifest, merge: Merge): string {
  const wanted = `${JSON.stringify(manifest, null, 2)}\n`;
  return text === undefined
    ? wanted
    : merge(manifestPath, JSON.stringify(present, null, 2), text, wanted, 'theirs').text;
}

function renamesOf(manifest: Manifest, catalogue: Catalogue): Renames {
  const modules = modulesOf(manifest, catalogue);
  return {
    ...Object.fromEntries(modules.flatMap(({ renamed = {} }) => Object.entries(renamed))),
    ...resourceRenames(manifest, modules),
  };
}

/** Returns each file that the templates renamed, directly or with its folder: former path → current path. */
function renamedFiles(renames: Renames, folders: Renames, lock: Lock): ReadonlyMap<string, string> {
  const inFolders = Object.keys(lock.files).flatMap((path) => {
    const to = renamedTo(path, folders);
    return to === undefined ? [] : [[path, to] as const];
  });
  return new Map([...inFolders, ...Object.entries(renames).filter(([from]) => !from.endsWith('/'))]);
}

/** Paths in the manifest follow the renamed folders: an ejected file stays ejected, and a rule for conflicts keeps its files. */
function withRenames(manifest: Manifest, folders: Renames): Manifest {
  const { ejected, conflicts } = manifest;
  if (Object.keys(folders).length === 0) return manifest;
  const now = (path: string): string => renamedTo(path, folders) ?? path;
  return {
    ...manifest,
    ...(ejected && { ejected: [...new Set(ejected.map(now))].sort() }),
    ...(conflicts && {
      conflicts: Object.fromEntries(Object.entries(conflicts).map(([paths, choice]) => [now(paths), choice])),
    }),
  };
}

/** Returns the user's text files that Slipway did not write. */
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
