import type { Lock, Plan, PlanEntry, Service } from '../model.ts';
import { encode } from '../text.ts';
import { codeAfter, textsAfter } from './codeAfter.ts';
import { endingOf, relativeSpecifier, withSpecifiers } from './layout.ts';
import { candidates } from './usages.ts';

/** The files of a service before and after a plan, and the moves between them. */
interface Move {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
  /** Former path → current path. */
  readonly to: ReadonlyMap<string, string>;
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
  const before = new Set(service.files());
  const move: Move = {
    before,
    after: new Set(
      [...before, ...texts.keys()].filter((path) => (texts.has(path) ? texts.get(path) !== undefined : true)),
    ),
    to: new Map(pairs),
    formers: (path) => pairs.flatMap(([from, to]) => (to === path ? [from] : [])),
  };
  return [...codeAfter(service, texts)].reduce(
    (present, [path, text]) => follow(service, present, path, text, move),
    plan,
  );
}

function moveOf({ path, became, changes: [gone, put] }: PlanEntry): [from: string, to: string][] {
  if (became !== undefined) return [[path, became]];
  return gone !== undefined && 'remove' in gone && put !== undefined ? [[gone.path, put.path]] : [];
}

function follow(service: Service, plan: Plan, path: string, text: string, move: Move): Plan {
  const targets = new Set<string>();
  const bytes = encode(
    withSpecifiers(text, (specifier) => {
      const lost = lostImport(path, specifier, move);
      if (lost !== undefined) targets.add(lost.target);
      return lost?.followed;
    }),
  );
  if (targets.size === 0) return plan;
  const entry = plan.entries.find((other) => other.changes.some((change) => change.path === path));
  const present = service.read(move.formers(path)[0] ?? path);
  const changes = entry?.changes ?? [
    { path, expect: present?.hash ?? null, write: bytes, mode: present?.mode ?? 0o644 },
  ];
  const reason = `its imports follow ${[...targets].join(', ')}`;
  const followed: PlanEntry = {
    path,
    action: 'merge',
    module: entry?.module ?? plan.lock.files[path]?.module ?? '',
    conflicts: entry?.conflicts ?? [],
    reason: entry === undefined || entry.reason === '' ? reason : `${entry.reason}; ${reason}`,
    changes: changes.map((change) =>
      change.path === path && 'write' in change ? { ...change, write: bytes } : change,
    ),
  };
  const entries = [...plan.entries.filter((other) => other !== entry), followed];
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

/** An import that resolved before the plan and does not resolve after it. */
interface LostImport {
  readonly followed: string;
  /** The former path of the file that it resolved to. */
  readonly target: string;
}

function lostImport(path: string, specifier: string, { before, after, to, formers }: Move): LostImport | undefined {
  if (candidates(path, specifier).some((file) => after.has(file))) return undefined;
  const target = [path, ...formers(path)]
    .flatMap((importer) => candidates(importer, specifier))
    .find((file) => before.has(file));
  const now = target === undefined ? undefined : (to.get(target) ?? target);
  if (target === undefined || now === undefined || !after.has(now)) return undefined;
  return { target, followed: relativeSpecifier(path, now, endingOf(specifier, target)) };
}
