import type { Plan, PlanEntry, Service } from '../model.ts';

/** The renames that modules declare: former path → current path. A folder ends with `/`. */
export type Renames = Readonly<Record<string, string>>;

/**
 * @param path of a file
 * @param renames files and folders; the file's own entry wins, then the longest folder
 * @returns its current path; undefined when it was not renamed
 */
export function renamedTo(path: string, renames: Renames): string | undefined {
  if (Object.hasOwn(renames, path)) return renames[path];
  const folder = Object.keys(renames)
    .filter((from) => from.endsWith('/') && path.startsWith(from))
    .reduce((longest, from) => (from.length > longest.length ? from : longest), '');
  return folder === '' ? undefined : `${renames[folder]}${path.slice(folder.length)}`;
}

/**
 * @param renames as the modules of a service declare them
 * @param known paths that Slipway wrote in that service
 * @returns the renamed folders whose former path still contains known paths
 */
export function pendingFolders(renames: Renames, known: readonly string[]): Renames {
  const isPending = (from: string): boolean => from.endsWith('/') && known.some((path) => path.startsWith(from));
  return Object.fromEntries(Object.entries(renames).filter(([from]) => isPending(from)));
}

/**
 * Moves the user's own files, including seeds, with a folder that the templates renamed. Git does the same when it merges a renamed
 * directory (https://git-scm.com/docs/git-config#Documentation/git-config.txt-mergedirectoryRenames).
 * @param service the current state of the service
 * @param plan what to do with Slipway's files
 * @param folders former folder → current folder, both ending with `/`
 * @param owned files that were Slipway's until this plan
 * @returns the plan, with an entry for each file that moves; a file stays when another file is at its new place
 */
export function moveAlong(service: Service, plan: Plan, folders: Renames, owned: ReadonlySet<string>): Plan {
  if (Object.keys(folders).length === 0) return plan;
  // A seed that the templates dropped is kept, and moves as the user's own files do.
  const planned = new Set(
    plan.entries
      .filter(({ action }) => action !== 'keep')
      .flatMap(({ path, changes }) => [path, ...changes.map((change) => change.path)]),
  );
  const known = new Set(
    Object.entries(service.lock.files).flatMap(([path, { at, ownership }]) =>
      ownership === 'seed' || owned.has(at ?? path) ? [] : [at ?? path],
    ),
  );
  const entries = service.files().flatMap((from): PlanEntry[] => {
    const to = planned.has(from) || known.has(from) ? undefined : renamedTo(from, folders);
    const present = to === undefined ? undefined : service.read(from);
    if (to === undefined || present === undefined || planned.has(to) || service.read(to) !== undefined) return [];
    return [
      {
        path: to,
        action: 'update',
        module: '',
        reason: `your file moves with its folder from ${from}`,
        conflicts: [],
        changes: [
          { path: from, expect: present.hash, remove: true },
          { path: to, expect: null, write: present.bytes, mode: present.mode },
        ],
      },
    ];
  });
  const moved = new Set(entries.map(({ path }) => path));
  const gone = new Set(entries.flatMap(({ changes: [removed] }) => removed?.path ?? []));
  const files = Object.entries(plan.lock.files).map(([path, { at, ...file }]) => {
    return [
      path,
      at === undefined || (moved.has(path) && renamedTo(at, folders) === path) ? file : { ...file, at },
    ] as const;
  });
  return {
    ...plan,
    entries: [...plan.entries.filter(({ path }) => !gone.has(path)), ...entries].sort((a, b) =>
      a.path < b.path ? -1 : 1,
    ),
    lock: { ...plan.lock, files: Object.fromEntries(files) },
  };
}
