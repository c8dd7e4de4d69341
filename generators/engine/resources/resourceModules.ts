import { join } from '../compose/contract.ts';
import { badInput, exitCodes, SlipwayError } from '../errors.ts';
import { fieldOf, isObject } from '../json.ts';
import type { Catalogue, CatalogueModule, Contract, Manifest, ResourceFile, Template, TemplateFile } from '../model.ts';
import { renderTemplate, templateContext } from '../template.ts';
import { contextsOf, formerNames, resourceNames } from './context.ts';

/** Values for the templates of one module and one resource. */
type Context = object;

/**
 * Prints the slice of each resource from the templates of the service's modules.
 * @param manifest of the service, which is valid
 * @param modules the modules of the service, base first
 * @param catalogue all modules
 * @returns one module for each resource, sorted by name; it is plain data, as all modules are
 * @throws SlipwayError when a resource takes the place of another part of the service (exit code 2), or when two modules bring the
 * same file for a resource
 */
export function resourceModules(
  manifest: Manifest,
  modules: readonly CatalogueModule[],
  catalogue: Catalogue,
): CatalogueModule[] {
  const { resources = {} } = manifest;
  const names = Object.keys(resources).sort();
  if (names.length === 0) return [];
  if (modules.every(({ resource }) => resource === undefined))
    throw badInput(
      `the catalogue ${catalogue.version} has no templates for resources`,
      'use a newer one: slipway update',
    );
  for (const name of names) refuseTaken(name, resources[name]?.plural ?? '', modules);
  // A module may replace a file that each resource has.
  const ordered = modules.toSorted((a, b) => Number(b.withResources ?? false) - Number(a.withResources ?? false));
  const present = new Set(modules.map(({ id }) => id));
  const has = Object.fromEntries(Object.keys(catalogue.modules).map((id) => [id, present.has(id)]));
  const shared = ordered.map((module) => ({
    ...templateContext(manifest, module, catalogue),
    has,
    types: typesOf(module, modules),
  }));
  return names.map((name) => {
    const { changes, resource } = contextsOf(name, resources);
    const files = new Map<string, { readonly from: CatalogueModule; readonly file: TemplateFile }>();
    const contracts: { id: string; contract: Contract }[] = [];
    for (const [index, module] of ordered.entries()) {
      const context: Context = { ...shared[index], resource };
      for (const [path, file] of filesOf(module, context, changes)) {
        const other = files.get(path)?.from;
        if (other !== undefined && !other.withResources)
          throw new SlipwayError(exitCodes.failed, `modules "${other.id}" and "${module.id}" both bring ${path}`);
        files.set(path, { from: module, file });
      }
      const contract = contractOf(module, context);
      if (contract !== undefined) contracts.push({ id: module.id, contract });
    }
    return {
      id: `resource:${name}`,
      summary: `The resource ${name}`,
      category: 'base',
      files: [...files.values()].flatMap(({ file }) => file),
      config: [],
      // `join` returns an object, as each part is one.
      ...(contracts.length === 0 ? {} : { contract: join({}, contracts) as Contract }),
    };
  });
}

/**
 * @param manifest of the service, which is valid
 * @param modules the modules of the service
 * @returns where files of resources that were renamed are now: former path → path; folders end with `/`
 */
export function resourceRenames(
  { resources = {} }: Manifest,
  modules: readonly CatalogueModule[],
): Readonly<Record<string, string>> {
  const templates = modules.flatMap(({ resource }) => resource?.files ?? []).filter((file) => !isOfChange(file.path));
  const now = new Set<string>();
  for (const [name, { plural }] of Object.entries(resources))
    for (const file of templates) now.add(pathOf(file, name, plural));
  const renames = Object.entries(resources).flatMap(([name, { plural }]) =>
    formerNames(name, resources).flatMap((former) => [
      [`internal/${former.plural.kebab}/`, `internal/${plural}/`] as const,
      ...templates.map((file) => [pathOf(file, former.name, former.plural.kebab), pathOf(file, name, plural)] as const),
    ]),
  );
  // Another resource may have the former name now.
  const folders = new Set(Object.values(resources).map(({ plural }) => `internal/${plural}/`));
  return Object.fromEntries(renames.filter(([from, to]) => from !== to && !now.has(from) && !folders.has(from)));
}

function pathOf({ path }: ResourceFile, name: string, plural: string): string {
  return renderTemplate(path, { resource: resourceNames(name, plural) });
}

/** Refuses a resource whose folder or whose path belongs to another part of the service. */
function refuseTaken(name: string, plural: string, modules: readonly CatalogueModule[]): void {
  const hint = 'choose another plural with --plural';
  const folder = `internal/${plural}/`;
  const path = `/${plural}`;
  for (const { id, files, contract } of modules) {
    const owner = id === 'base' ? 'every service' : `the module "${id}"`;
    if (files.some((file) => file.path.startsWith(folder)))
      throw badInput(`resource "${name}": the folder ${folder} belongs to ${owner}`, hint);
    const paths = Object.keys(fieldOf(contract, 'paths') ?? {});
    if (paths.some((route) => route === path || route.startsWith(`${path}/`)))
      throw badInput(`resource "${name}": the path ${path} belongs to ${owner}`, hint);
  }
}

/** The texts that the templates of a module look up: its own, and those of the parts that each resource has. */
function typesOf({ resource }: CatalogueModule, modules: readonly CatalogueModule[]): Readonly<Record<string, unknown>> {
  const shared = modules.filter(({ withResources }) => withResources).map((module) => module.resource?.types ?? {});
  return Object.assign({}, ...shared, resource?.types);
}

function filesOf(
  { resource }: CatalogueModule,
  context: Context,
  changes: readonly Context[],
): [string, TemplateFile][] {
  return (resource?.files ?? []).flatMap((file) => {
    const each = isOfChange(file.path) ? changes.map((change) => ({ ...context, ...change })) : [context];
    return each.flatMap((values): [string, TemplateFile][] => {
      const { path: _path, ownership } = file;
      const path = renderTemplate(file.path, values);
      const text = 'text' in file ? file.text : renderTemplate(file.template, values);
      // A template that prints nothing for this resource is no file of it.
      return text === '' ? [] : [[path, { path, ownership, text }]];
    });
  });
}

/** Whether there is one file for each migration. */
function isOfChange(path: Template): boolean {
  return path.some(
    (part) => typeof part !== 'string' && 'value' in part && 'path' in part.value && part.value.path[0] === 'change',
  );
}

function contractOf({ id, resource }: CatalogueModule, context: Context): Contract | undefined {
  if (resource?.contract === undefined) return undefined;
  const text = renderTemplate(resource.contract, context);
  if (text.trim() === '') return undefined;
  try {
    const contract: unknown = JSON.parse(text);
    if (isObject(contract)) return contract;
  } catch {
    // The error below says it.
  }
  throw new SlipwayError(
    exitCodes.failed,
    `module "${id}": its contract of a resource is not JSON:\n${text.slice(0, 2000)}`,
  );
}
