import { exitCodes, SlipwayError } from '../errors.ts';
import { fieldOf, isObject } from '../json.ts';
import type { Plan, PlanEntry, Service } from '../model.ts';
import { decode } from '../text.ts';
import { codeAfter, type TextsAfter, textsAfter } from './codeAfter.ts';
import { isSource } from './moduleSpecifiers.ts';
import { moveOf } from './follow.ts';
import { findUsages, mayUse, type Usage } from './usages.ts';

/**
 * Refuses a plan that deletes a file, a package or an npm script that a remaining file needs.
 * @param service the current state of the service
 * @param plan what to do with its files
 * @throws SlipwayError (exit code 3) that names every place that still needs what is deleted
 */
export function refuseDanglingImports(service: Service, { entries }: Plan): void {
  // A new service loses nothing.
  if (service.files().length === 0) return;
  const after = textsAfter(entries);
  const files = filesGone(service, after);
  const [before, left] = packageJsons(service, after);
  const packages = namesGone(groups, before, left);
  const scripts = namesGone(['scripts'], before, left);
  if (files.size + packages.size + scripts.size === 0) return;
  const moved = new Set(entries.flatMap(moveOf).flatMap(([from]) => [from, ...foldersAbove(from)]));
  const gone = { files, moved, packages, scripts };
  const usages = findUsages(codeAfter(service, after, mayUse), gone, fieldOf(left, 'imports'));
  if (usages.length > 0) throw stillNeeded(usages);
}

/**
 * Keeps files that the templates have dropped while code of the user imports them: an update must not break that code. The files that
 * these import stay as well. A file of a removed module does not stay: the user asked for its removal.
 * @param service the current state of the service
 * @param plan what to do with its files
 * @param modules ids of the modules that the service has after the plan
 * @returns the plan, in which these files are the user's now, and their paths
 */
export function keepNeeded(
  service: Service,
  plan: Plan,
  modules: ReadonlySet<string>,
): { readonly plan: Plan; readonly kept: ReadonlySet<string> } {
  const isDropped = ({ action, module, path, became }: PlanEntry): boolean =>
    action === 'delete' && became === undefined && modules.has(module) && isSource(path);
  const dropped = plan.entries.filter(isDropped).flatMap(({ changes }) => changes.map(({ path }) => path));
  const kept = new Set<string>();
  const needed = (): string[] => {
    const files = new Set(dropped.filter((path) => !kept.has(path)));
    const after = new Map([...textsAfter(plan.entries)].filter(([path]) => !kept.has(path)));
    const code = files.size === 0 ? [] : [...codeAfter(service, after, isSource)];
    const using = importersIn(code, files);
    const importers = code.filter(([path]) => using.has(path));
    return importers.length === 0 ? [] : [...files].filter((file) => importersIn(importers, new Set([file])).size > 0);
  };
  for (let found = needed(); found.length > 0; found = needed()) for (const path of found) kept.add(path);
  const reason = 'the templates have dropped it, and your code uses it: it is yours now';
  const entries = plan.entries.map((entry): PlanEntry =>
    entry.changes.some(({ path }) => kept.has(path)) ? { ...entry, action: 'keep', reason, changes: [] } : entry,
  );
  return { plan: { ...plan, entries }, kept };
}

/**
 * Finds packages that the templates no longer need and that the code of the user imports.
 * @param service the current state of the service
 * @param plan what to do with its files
 * @returns their names
 */
export function neededPackages(service: Service, { entries }: Plan): string[] {
  const after = textsAfter(entries);
  const gone = namesGone(groups, ...packageJsons(service, after));
  const code = gone.size === 0 ? [] : [...codeAfter(service, after, isSource)];
  return [...gone].filter((name) => findUsages(code, { files: new Set(), packages: new Set([name]) }).length > 0);
}

/**
 * @param packageJson text of a package.json
 * @param packages names of packages
 * @returns the text without these dependencies
 */
export function withoutPackages(packageJson: string, packages: readonly string[]): string {
  const value = parsed(packageJson);
  if (!isObject(value)) return packageJson;
  const left = Object.entries(value).map(([field, content]) => [
    field,
    groups.includes(field) && isObject(content)
      ? Object.fromEntries(Object.entries(content).filter(([name]) => !packages.includes(name)))
      : content,
  ]);
  return `${JSON.stringify(Object.fromEntries(left), null, 2)}\n`;
}

/** Returns the content of package.json before and after a plan. */
function packageJsons(service: Service, after: TextsAfter): [before: unknown, left: unknown] {
  const present = service.read('package.json');
  const before = parsed(present === undefined ? undefined : decode(present.bytes));
  // A file that does not parse, for example one with conflict markers, gives no information about names.
  return [before, parsed(after.get('package.json')) ?? before];
}

/** Returns the files whose code imports one of these files. */
function importersIn(code: Iterable<readonly [string, string]>, files: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(findUsages(code, { files, packages: new Set() }).map(({ path }) => path));
}

/** The deleted files, and the folders in which no file remains. */
function filesGone({ files }: Service, after: TextsAfter): ReadonlySet<string> {
  const gone = [...after].flatMap(([path, text]) => (text === undefined ? [path] : []));
  const folders = new Set(gone.flatMap(foldersAbove));
  for (const path of [...files(), ...after.keys()]) {
    if (after.has(path) && after.get(path) === undefined) continue;
    for (const folder of foldersAbove(path)) folders.delete(folder);
  }
  return new Set([...gone, ...folders]);
}

function foldersAbove(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
}

const groups = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

function namesGone(fields: readonly string[], before: unknown, left: unknown): ReadonlySet<string> {
  const [names, remaining] = [before, left].map((value) =>
    fields.flatMap((field) => Object.keys(fieldOf(value, field) ?? {})),
  );
  return new Set(names?.filter((name) => remaining?.includes(name) !== true));
}

/** @returns undefined when it is not JSON */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function stillNeeded(usages: readonly Usage[]): SlipwayError {
  const places = usages.map(
    ({ path, line, specifier }) => `  ${path}:${line} ${isSource(path) ? 'imports' : 'names'} ${specifier}`,
  );
  return new SlipwayError(exitCodes.conflicts, `your code still needs what would be removed:\n${places.join('\n')}`, {
    hint: 'take these uses out first; nothing was written',
    details: { usages },
  });
}
