import type { Lock, Plan, PlanEntry, Service } from '../model.ts';
import { encode } from '../text.ts';
import { codeAfter, textsAfter } from './codeAfter.ts';
import { moduleSpecifiers } from './moduleSpecifiers.ts';
import { candidates } from './usages.ts';

/** The files of a service before and after a plan, and which of them moves where. */
interface Move {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
  /** Former path → path now. */
  readonly to: ReadonlyMap<string, string>;
  /** The former paths of a file: several, where it was joined from others; none, where it does not move. */
  readonly formers: (path: string) => readonly string[];
}

/**
 * Lets imports follow the files that move. A merged file brings the template's new imports itself; what the user wrote, in seeds,
 * in merged files and in files of their own, would be left with imports of files that are gone.
 * @param service as it is now
 * @param plan what to do with its files
 * @returns the plan, in which each import that would find nothing names the place where its file is now
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
  const lost = lostImports(path, text, move);
  if (lost.length === 0) return plan;
  const bytes = encode(lost.reduce((now, each) => rewrite(now, each), text));
  const entry = plan.entries.find((other) => other.changes.some((change) => change.path === path));
  const present = service.read(move.formers(path)[0] ?? path);
  const changes = entry?.changes ?? [
    { path, expect: present?.hash ?? null, write: bytes, mode: present?.mode ?? 0o644 },
  ];
  const reason = `its imports follow ${[...new Set(lost.map(({ target }) => target))].join(', ')}`;
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

/** A seed that nobody has edited is still unedited. */
function unedited(lock: Lock, path: string, before: string, after: string): Lock {
  const files = Object.entries(lock.files).map(([home, file]) => {
    const isSeed = (file.at ?? home) === path && file.ownership === 'seed' && file.hash === before;
    return [home, isSeed ? { ...file, hash: after } : file] as const;
  });
  return { ...lock, files: Object.fromEntries(files) };
}

/** An import that finds nothing from where its file is now, but did before. */
interface LostImport {
  /** Counted from 1. */
  readonly line: number;
  readonly specifier: string;
  readonly followed: string;
  /** The file that it found, by its former path. */
  readonly target: string;
}

function lostImports(path: string, text: string, { before, after, to, formers }: Move): LostImport[] {
  return moduleSpecifiers(text).flatMap(({ specifier, line }) => {
    if (!specifier.startsWith('.') || candidates(path, specifier).some((file) => after.has(file))) return [];
    const target = [path, ...formers(path)]
      .flatMap((importer) => candidates(importer, specifier))
      .find((file) => before.has(file));
    const now = target === undefined ? undefined : (to.get(target) ?? target);
    if (target === undefined || now === undefined || !after.has(now)) return [];
    return [{ line, specifier, target, followed: relative(path, now, endingOf(specifier, target)) }];
  });
}

function rewrite(text: string, { line, specifier, followed }: LostImport): string {
  const lines = text.split('\n');
  lines[line - 1] = ["'", '"', '`'].reduce(
    (present, quote) => present.replaceAll(quote + specifier + quote, quote + followed + quote),
    lines[line - 1] ?? '',
  );
  return lines.join('\n');
}

/** As the importer writes it: with the file's own ending, with that of the compiled file, or with none. */
function endingOf(specifier: string, from: string): string | undefined {
  const stem = /([^/]+)\.\w+$/.exec(from)?.[1] ?? '';
  const at = specifier.lastIndexOf(`/${stem}`);
  return at === -1 ? undefined : specifier.slice(at + 1 + stem.length);
}

function relative(importer: string, file: string, ending: string | undefined): string {
  const target = (ending === undefined ? file : file.replace(/\.\w+$/, ending)).split('/');
  const folders = importer.split('/').slice(0, -1);
  let shared = 0;
  while (shared < folders.length && folders[shared] === target[shared]) shared += 1;
  const up = folders.slice(shared).map(() => '..');
  return [...(up.length === 0 ? ['.'] : up), ...target.slice(shared)].join('/');
}
