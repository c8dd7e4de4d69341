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
 * @returns for each resource, sorted by name, a module with what the base brings, and one for each other module that brings something;
 * they are plain data, as all modules are
 * @throws SlipwayError (exit code 2) when a resource takes the place of another part of the service
 */
export function resourceModules(
  manifest: Manifest,
  modules: readonly CatalogueModule[],
  catalogue: Catalogue,
): CatalogueModule[] {
  const { resources = {} } = manifest;
  const names = Object.keys(resources).sort();
  if (names.length === 0) return [];
  if (catalogue.base.resource === undefined)
    throw badInput(
      `the catalogue ${catalogue.version} has no templates for resources`,
      'use a newer one: slipway update',
    );
  const schemas = new Map(
    modules.flatMap(({ id, contract }) => schemasIn(contract).map((schema) => [schema, ownerOf(id)] as const)),
  );
  const present = new Set(modules.map(({ id }) => id));
  const has = Object.fromEntries(Object.keys(catalogue.modules).map((id) => [id, present.has(id)]));
  const shared = modules.map((module) => ({
    ...templateContext(manifest, module, catalogue),
    has,
    types: typesOf(module, modules),
  }));
  return names.flatMap((name) => {
    const { changes, resource } = contextsOf(name, resources);
    const owner = `the resource "${name}"`;
    const parts = modules.flatMap((module, index): CatalogueModule[] => {
      if (module.resource === undefined) return [];
      const context = { ...shared[index], resource };
      const contract = contractOf(module, context);
      return [
        {
          id: module.id === 'base' ? `resource:${name}` : `resource:${name}:${module.id}`,
          summary: `The resource ${name}`,
          category: 'base',
          files: filesOf(module, context, changes),
          config: [],
          listed: Object.entries(module.resource.lists).map(([file, list]) => ({
            file,
            name: renderTemplate(list.export, context),
            from: renderTemplate(list.from, context),
          })),
          ...(contract === undefined ? {} : { contract }),
        },
      ];
    });
    const own = parts.flatMap((part) => schemasIn(part.contract));
    const taken = own.find((schema) => (schemas.get(schema) ?? owner) !== owner);
    refuseTaken(name, resource.plural.kebab, modules, taken !== undefined);
    if (taken !== undefined)
      throw badInput(`resource "${name}": the schema ${taken} belongs to ${schemas.get(taken)}`, 'choose another name');
    for (const schema of own) schemas.set(schema, owner);
    return withoutReplaced(parts);
  });
}

/** Returns the names of the schemas of a contract. Those of the whole service differ. */
function schemasIn(contract: Contract | undefined): string[] {
  return Object.keys(fieldOf(fieldOf(contract, 'components'), 'schemas') ?? {});
}

function ownerOf(module: string): string {
  return module === 'base' ? 'every service' : `the module "${module}"`;
}

/** The base is first. A file of a module replaces the file of the base. */
function withoutReplaced([base, ...parts]: readonly CatalogueModule[]): CatalogueModule[] {
  if (base === undefined) return [];
  const replaced = new Set(parts.flatMap(({ files }) => files.map(({ path }) => path)));
  return [{ ...base, files: base.files.filter(({ path }) => !replaced.has(path)) }, ...parts];
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
function refuseTaken(name: string, plural: string, modules: readonly CatalogueModule[], isNameTaken: boolean): void {
  const hint = isNameTaken ? 'choose another name' : 'choose another plural with --plural';
  const folder = `internal/${plural}/`;
  const path = `/${plural}`;
  for (const { id, files, contract } of modules) {
    const owner = ownerOf(id);
    if (files.some((file) => file.path.startsWith(folder)))
      throw badInput(`resource "${name}": the folder ${folder} belongs to ${owner}`, hint);
    const paths = Object.keys(fieldOf(contract, 'paths') ?? {});
    if (paths.some((route) => route === path || route.startsWith(`${path}/`)))
      throw badInput(`resource "${name}": the path ${path} belongs to ${owner}`, hint);
  }
}

/** The texts that the templates of a module look up: its own, and those of the base. */
function typesOf({ resource }: CatalogueModule, [base]: readonly CatalogueModule[]): Readonly<Record<string, unknown>> {
  return { ...base?.resource?.types, ...resource?.types };
}

function filesOf({ resource }: CatalogueModule, context: Context, changes: readonly Context[]): TemplateFile[] {
  return (resource?.files ?? []).flatMap((file) => {
    const each = isOfChange(file.path) ? changes.map((change) => ({ ...context, ...change })) : [context];
    return each.flatMap((values): TemplateFile[] => {
      const path = renderTemplate(file.path, values);
      const text = 'text' in file ? file.text : renderTemplate(file.template, values);
      // A template that prints nothing for this resource is no file of it.
      return text === '' ? [] : [{ path, ownership: file.ownership, text }];
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
