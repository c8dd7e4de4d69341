import type { Lock, Plan, PlanEntry, Service } from '../model.ts';
import { encode } from '../text.ts';
import { codeAfter, textsAfter } from './codeAfter.ts';
import { isSource } from './moduleSpecifiers.ts';
import { followed, type Origin, withFolders, withSpecifiers } from './specifiers.ts';

/** The files of a service after a plan, and the moves to there. */
interface Move {
  /** Files, and folders, each ending with `/`. */
  readonly after: ReadonlySet<string>;
  /** Path before the plan → path after it, of each file that stays and of the folders. */
  readonly places: ReadonlyMap<string, string>;
  /** Returns the former paths of a file: several for a joined file, none for a file that does not move. */
  readonly formers: (path: string) => readonly string[];
}

/**
 * Updates imports of files that move. A merged file gets the template's new imports from the merge. Imports that the user wrote (in
 * seeds, in merged files and in the user's own files) would still name the former paths.
 * @param service the current state of the service
 * @param plan what to do with its files
 * @returns the plan, in which each import that would fail names the current place of its file
 */
export function followRenames(service: Service, plan: Plan): Plan {
  const pairs = plan.entries.flatMap(moveOf);
  if (pairs.length === 0) return plan;
  const texts = textsAfter(plan.entries);
  const before = service.files();
  const goals = new Map(pairs);
  const after = new Set(
    [...before, ...texts.keys()].filter((path) => !texts.has(path) || texts.get(path) !== undefined),
  );
  const kept = before.flatMap((path): [string, string][] => {
    const place = goals.get(path) ?? path;
    return after.has(place) ? [[path, place]] : [];
  });
  const move: Move = {
    after: new Set(withFolders([...after].map((path) => [path, path])).keys()),
    places: withFolders(kept),
    formers: (path) => pairs.flatMap(([from, to]) => (to === path ? [from] : [])),
  };
  return [...codeAfter(service, texts, isSource)].reduce(
    (present, [path, text]) => follow(service, present, path, text, move),
    plan,
  );
}

/** Returns the former and the new path of a file that a plan moves. */
export function moveOf({ path, became, changes: [gone, put] }: PlanEntry): [from: string, to: string][] {
  if (became !== undefined) return [[path, became]];
  return gone !== undefined && 'remove' in gone && put !== undefined ? [[gone.path, put.path]] : [];
}

function follow(service: Service, plan: Plan, path: string, text: string, move: Move): Plan {
  const targets = new Set<string>();
  const bytes = encode(
    withSpecifiers(text, (found) => {
      const lost = followed(found, path, [
        [path, (file) => (move.after.has(file) ? file : undefined)],
        ...[path, ...move.formers(path)].map((importer): Origin => [importer, (file) => move.places.get(file)]),
      ]);
      if (lost !== undefined) targets.add(lost.file);
      return lost?.specifier;
    }),
  );
  if (targets.size === 0) return plan;
  const entry = plan.entries.find((other) => other.changes.some((change) => change.path === path));
  const present = service.read(move.formers(path)[0] ?? path);
  const changes = entry?.changes ?? [
    { path, expect: present?.hash ?? null, write: bytes, mode: present?.mode ?? 0o644 },
  ];
  const reason = `its imports follow ${[...targets].join(', ')}`;
  const updated: PlanEntry = {
    path,
    action: 'merge',
    module: entry?.module ?? plan.lock.files[path]?.module ?? '',
    conflicts: entry?.conflicts ?? [],
    reason: entry === undefined || entry.reason === '' ? reason : `${entry.reason}; ${reason}`,
    changes: changes.map((change) =>
      change.path === path && 'write' in change ? { ...change, write: bytes } : change,
    ),
  };
  const entries = [...plan.entries.filter((other) => other !== entry), updated];
  return {
    ...plan,
    entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)),
    lock: present === undefined ? plan.lock : unedited(plan.lock, path, present.hash, service.hash(bytes)),
  };
}

/** Keeps an unedited seed unedited in the lock. */
function unedited(lock: Lock, path: string, before: string, after: string): Lock {
  const files = Object.entries(lock.files).map(([home, file]) => {
    const isSeed = (file.at ?? home) === path && file.ownership === 'seed' && file.hash === before;
    return [home, isSeed ? { ...file, hash: after } : file] as const;
  });
  return { ...lock, files: Object.fromEntries(files) };
}
