import { isDeepStrictEqual } from 'node:util';
import { loadCatalogue } from './catalogue.ts';
import { fieldOf, objectIn } from './engine/json.ts';
import { manifestPath } from './engine/manifest.ts';
import type { CatalogueModule, PackageManager } from './engine/model.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import { startPath, startsResources, startSteps } from './engine/resources/start.ts';
import { fewOf } from './engine/suggest.ts';
import { packageManagerDefinitions } from './engine/packageManagers/index.ts';
import { decode } from './engine/text.ts';
import { wayTo } from './install.ts';
import type { Invocation } from './invocation.ts';

/** The part of a command's intent that decides what follows. */
interface Run {
  readonly root: string;
  readonly packageManager: PackageManager;
  readonly isNew?: true;
  readonly next?: readonly string[];
}

/**
 * @param path of a JSON file
 * @param prepared a plan
 * @returns what the file holds after the plan; undefined when there is no such file, or it holds no JSON object
 */
export function jsonAfter(path: string, { changes, before }: Prepared): unknown {
  const change = changes.find((each) => each.path === path);
  return objectIn(change === undefined ? before(path) : 'write' in change ? change.write : undefined);
}

/**
 * @param prepared a plan
 * @returns the versions of the catalogue before and after the plan, when they differ
 */
export function catalogueChange(prepared: Prepared): { from: string; to: string } | undefined {
  const [from, to] = inManifests(prepared, 'catalogue');
  return typeof from === 'string' && typeof to === 'string' && from !== to ? { from, to } : undefined;
}

/**
 * Tells what follows from a plan: what callers notice, what to write, which pages to read, and which modules nothing requires any more.
 * @param intent of the command
 * @param invocation names the catalogue
 * @param prepared the plan
 * @returns one line each; empty for a new service, which has no callers yet
 */
export function factsAfter({ packageManager, isNew }: Run, invocation: Invocation, prepared: Prepared): string[] {
  const catalogue = catalogueChange(prepared);
  return [
    ...(isNew ? [] : ofModules(prepared, packageManagerDefinitions[packageManager].run, invocation)),
    ...(isNew ? [] : [...ofResources(prepared), ...ofMigrations(prepared)]),
    ...(catalogue === undefined
      ? []
      : [`read what ${catalogue.to} asks of owners: docs/changes.md in the repository of Slipway`]),
  ];
}

/**
 * @param intent of the command
 * @param prepared the plan, which was carried out
 * @param installing the command that installs dependencies, when that is left to do
 * @returns the commands to run next, from the folder of the user's shell
 */
export function commandsAfter(
  { root, packageManager, isNew, next = [] }: Run,
  { entries }: Prepared,
  installing: readonly string[],
): string[] {
  const isChanged = entries.some(({ changes }) => changes.length > 0);
  const checking = `${packageManagerDefinitions[packageManager].run} check`;
  const commands = [...installing, ...(isNew ? next : isChanged ? [...next, checking] : [])];
  return commands.length === 0 ? [] : [...wayTo(root), ...commands];
}

/** Tells what follows from modules that come or go. */
function ofModules(prepared: Prepared, run: string, { flags, cwd }: Invocation): string[] {
  const manifests = inManifests(prepared, 'modules');
  // A manifest with conflict markers, for example, does not say which modules there were.
  if (manifests.includes(undefined)) return [];
  const [former, present] = manifests.map((modules) => Object.keys(modules ?? {}));
  const [added, removed] = [without(present, former), without(former, present)];
  if (added.length === 0 && removed.length === 0) return [];
  const { modules } = loadCatalogue(flags.catalogue, cwd);
  const known = (ids: readonly string[]): CatalogueModule[] =>
    ids.flatMap((id) => (Object.hasOwn(modules, id) ? (modules[id] ?? []) : []));
  const stepsOf = (id: string, lines: readonly string[] = []): string[] =>
    lines.map((line) => `${id}: ${line.replaceAll('{run}', run)}`);
  const pages = known(added).flatMap(({ id, files }) => files.filter(({ path }) => path === `docs/${id}.md`));
  const required = new Set(known(present ?? []).flatMap(({ requires = [] }) => requires));
  const unused = known(removed)
    .flatMap(({ requires = [] }) => requires)
    .filter((id) => present?.includes(id) && !required.has(id));
  return [
    ...known(added).flatMap(({ id, next }) => stepsOf(id, next?.added)),
    ...known(removed).flatMap(({ id, next, config }) => [
      ...stepsOf(id, next?.removed),
      ...(config.length === 0
        ? []
        : [`${id}: remove its settings from your environments: ${fewOf(config.map(({ name }) => name))}`]),
    ]),
    ...(pages.length === 0 ? [] : [`read ${pages.map(({ path }) => path).join(', ')}`]),
    ...[...new Set(unused)].map(
      (id) => `no module requires ${id} any more; if you do not use it: slipway remove ${id}`,
    ),
  ];
}

/** Tells the owner of a file that starts the service to list the resources in it: Slipway does not write the file again. */
function ofResources(prepared: Prepared): string[] {
  const [before, after] = inManifests(prepared, 'resources');
  if (after === undefined || isDeepStrictEqual(before, after)) return [];
  const main = prepared.before(startPath);
  // When the owner has moved the file, the note is printed only once.
  const isListed = main === undefined ? before !== undefined : startsResources(decode(main) ?? '');
  return isListed ? [] : [...startSteps];
}

/** Names the migrations of resources that a plan rewrites, such as after an edit of `fields` in `slipway.json` by hand. */
function ofMigrations({ entries }: Prepared): string[] {
  return entries
    .filter(({ action, module }) => module.startsWith('resource:') && (action === 'update' || action === 'merge'))
    .filter(({ path }) => path.includes('/migrations/'))
    .map(
      ({ path }) =>
        `${path}: a database that ran it does not run it again; if one did, take the change back and make it with slipway resource, which adds a migration`,
    );
}

function without(some: readonly string[] = [], others: readonly string[] = []): string[] {
  return some.filter((item) => !others.includes(item));
}

/** Returns a field of `slipway.json` before and after a plan. */
function inManifests(prepared: Prepared, key: string): [before: unknown, after: unknown] {
  const manifests = [objectIn(prepared.before(manifestPath)), jsonAfter(manifestPath, prepared)];
  const [before, after] = manifests.map((manifest) => fieldOf(manifest, key));
  return [before, after];
}
