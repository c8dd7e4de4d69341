import { encode } from '../fileSet.ts';
import { codeAfter, textsAfter } from './codeAfter.ts';
import type { Lock } from './lock.ts';
import type { Plan, PlanEntry } from './plan.ts';
import type { Service } from './service.ts';
import { findUsages } from './usages.ts';

/** A file that the template renamed. */
interface Rename {
  readonly from: string;
  readonly to: string;
}

/**
 * Lets imports follow the files that the templates renamed. Merged files bring their new imports themselves; seeds and the
 * user's own code, which no merge reaches, would be left with imports of files that are gone.
 * @param service as it is now
 * @param plan what to do with its files
 * @returns the plan, with a merge for each file in which an import follows
 */
export function followRenames(service: Service, plan: Plan): Plan {
  const renames = plan.entries.flatMap(renameOf);
  if (renames.length === 0) return plan;
  const code = [...codeAfter(service, textsAfter(plan.entries))];
  const gone = { files: new Set(renames.map(({ from }) => from)), packages: new Set<string>() };
  const importers = new Set(findUsages(code, gone).map(({ path }) => path));
  return code
    .filter(([path]) => importers.has(path))
    .reduce((present, [path, text]) => follow(service, present, path, text, renames), plan);
}

function renameOf({ changes: [gone, put] }: PlanEntry): Rename[] {
  return gone !== undefined && 'remove' in gone && put !== undefined ? [{ from: gone.path, to: put.path }] : [];
}

function follow(service: Service, plan: Plan, path: string, text: string, renames: readonly Rename[]): Plan {
  const followed = renames.filter(({ from }) => imports(path, text, from).length > 0);
  const write = encode(followed.reduce((now, rename) => rewrite(path, now, rename), text));
  const before = plan.entries.find((entry) => entry.path === path);
  const present = service.read(path);
  const entry: PlanEntry = {
    path,
    action: 'merge',
    module: before?.module ?? plan.lock.files[path]?.module ?? '',
    reason: `its imports follow ${followed.map(({ from }) => from).join(', ')}`,
    conflicts: before?.conflicts ?? [],
    changes: [{ path, expect: present?.hash ?? null, write, mode: present?.mode ?? 0o644 }],
  };
  const entries = [...plan.entries.filter((other) => other !== before), entry];
  return {
    ...plan,
    entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)),
    lock: present === undefined ? plan.lock : unedited(plan.lock, path, present.hash, service.hash(write)),
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

function imports(path: string, text: string, from: string): { line: number; specifier: string }[] {
  return findUsages([[path, text]], { files: new Set([from]), packages: new Set() });
}

function rewrite(path: string, text: string, { from, to }: Rename): string {
  const lines = text.split('\n');
  for (const { line, specifier } of imports(path, text, from)) {
    const followed = relative(path, to, endingOf(specifier, from));
    lines[line - 1] = ["'", '"', '`'].reduce(
      (present, quote) => present.replaceAll(quote + specifier + quote, quote + followed + quote),
      lines[line - 1] ?? '',
    );
  }
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
