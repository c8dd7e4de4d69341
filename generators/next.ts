import { loadCatalogue } from './catalogue.ts';
import { fieldOf, objectIn } from './engine/json.ts';
import { manifestPath } from './engine/manifest.ts';
import type { CatalogueModule } from './engine/model.ts';
import type { Prepared } from './engine/reconcile/prepare.ts';
import { fewOf } from './engine/suggest.ts';
import type { Invocation } from './invocation.ts';

/** `slipway.json` before and after a plan, as far as it is JSON. Both are the same when the plan does not change it. */
interface Manifests {
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * @param prepared a plan
 * @returns the manifests of the service
 */
export function manifestsOf(prepared: Prepared): Manifests {
  return { before: objectIn(prepared.before(manifestPath)), after: jsonAfter(manifestPath, prepared) };
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
 * @param manifests of a service
 * @returns the versions of the catalogue before and after the plan, when they differ
 */
export function catalogueChange({ before, after }: Manifests): { from: string; to: string } | undefined {
  const [from, to] = [before, after].map((manifest) => fieldOf(manifest, 'catalogue'));
  return typeof from === 'string' && typeof to === 'string' && from !== to ? { from, to } : undefined;
}

/**
 * Tells what follows from modules that a plan adds or removes.
 * @param manifests of a service
 * @param run the command that runs an npm script
 * @param invocation names the catalogue
 * @returns what callers notice, what to do, which pages to read, and which modules nothing requires any more: one line each
 */
export function moduleSteps({ before, after }: Manifests, run: string, { flags, cwd }: Invocation): string[] {
  const [former, present] = [before, after].map((manifest) => Object.keys(fieldOf(manifest, 'modules') ?? {}));
  const [added, removed] = [without(present, former), without(former, present)];
  if (added.length === 0 && removed.length === 0) return [];
  const { modules } = loadCatalogue(flags.catalogue, cwd);
  const known = (ids: readonly string[]): CatalogueModule[] =>
    ids.flatMap((id) => (Object.hasOwn(modules, id) ? (modules[id] ?? []) : []));
  const told = (id: string, lines: readonly string[] = []): string[] =>
    lines.map((line) => `${id}: ${line.replaceAll('{run}', run)}`);
  const pages = known(added).flatMap(({ id, files }) => files.filter(({ path }) => path === `docs/${id}.md`));
  const required = new Set(known(present ?? []).flatMap(({ requires = [] }) => requires));
  const unused = known(removed)
    .flatMap(({ requires = [] }) => requires)
    .filter((id) => present?.includes(id) && !required.has(id));
  return [
    ...known(added).flatMap(({ id, next }) => told(id, next?.added)),
    ...known(removed).flatMap(({ id, next, config }) => [
      ...told(id, next?.removed),
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

function without(some: readonly string[] = [], others: readonly string[] = []): string[] {
  return some.filter((item) => !others.includes(item));
}
