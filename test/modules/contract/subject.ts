import { newManifest } from '../../../generators/engine/manifest.ts';
import type {
  Catalogue,
  CatalogueModule,
  FileSet,
  Manifest,
  Resource,
  OptionValue,
} from '../../../generators/engine/model.ts';
import { withRequired } from '../../../generators/engine/resolve.ts';
import { decode } from '../../../generators/engine/text.ts';
import type { render } from '../../../generators/engine/render.ts';

/** What the contract is about: one module, and what surrounds it. */
export interface Subject {
  readonly module: CatalogueModule;
  /** Name of the module's folder. */
  readonly folder: string;
  readonly catalogue: Catalogue;
  /** Path below `files/` → text as it stands there, templates included. */
  readonly sources: ReadonlyMap<string, string>;
  readonly render: typeof render;
}

/** Looks for breaches of one clause. @returns one line for each; none when the module keeps it */
export type Rule = (subject: Subject) => string[];

export type Options = Readonly<Record<string, OptionValue>>;

/**
 * @param subject the module under test
 * @param ids modules of the service beside it and what it requires
 * @param options of any module
 * @returns a service's files
 */
export function serviceWith(
  { module, catalogue, render: print }: Subject,
  ids: readonly string[] = [],
  options: Readonly<Record<string, Options>> = {},
): FileSet {
  // A resource brings the parts that all resources share.
  const asked = [module.id, ...askedFor(module, catalogue), ...ids];
  const ofResources = asked.filter((id) => catalogue.modules[id]?.withResources);
  const modules = withRequired(
    asked.filter((id) => id !== 'base' && catalogue.modules[id]?.part === undefined),
    catalogue,
  );
  const manifest = newManifest({ name: 'orders', modules, ci: ['github', 'gitlab'], platformTests: true }, catalogue);
  const chosen = Object.fromEntries(modules.map((id) => [id, options[id] ?? {}]));
  const tag: Resource = {
    plural: 'tags',
    fields: { label: 'string', data: 'json?', state: 'enum(open,closed)' },
    states: { state: 'open>closed:close' },
    sparse: true,
    created: '20261130',
  };
  const resources = ofResources.length > 0 ? { resources: { tag } } : {};
  const withOptions: Manifest = { ...manifest, ...resources, modules: chosen };
  return print(withOptions, catalogue);
}

/**
 * @param subject the module under test
 * @returns path → text of its own files, as a service has them that has the hosts of all of them
 */
export function ownFiles(subject: Subject): ReadonlyMap<string, string> {
  const brought = new Set(subject.module.files.map(({ path }) => path));
  const hosts = Object.values(subject.catalogue.modules).filter((module) =>
    module.hosts?.some((host) => [...brought].some((path) => path.startsWith(host))),
  );
  const files = serviceWith(
    subject,
    hosts.map(({ id }) => id),
  );
  return textsOf(new Map([...files].filter(([path]) => brought.has(path))));
}

/**
 * @param files of a service
 * @returns path → text
 */
export function textsOf(files: FileSet): ReadonlyMap<string, string> {
  return new Map([...files].map(([path, { bytes }]) => [path, decode(bytes) ?? '']));
}

/**
 * @param subject the module under test
 * @returns what its code may rely on: the base, all that it requires, and itself
 */
export function withFoundations({ module, catalogue }: Subject): CatalogueModule[] {
  const found = new Set([catalogue.base, module]);
  // What is added while the set is walked is walked, too.
  for (const { requires = [] } of found)
    for (const id of requires) if (catalogue.modules[id]) found.add(catalogue.modules[id]);
  return [...found];
}

/** What a user adds to get a module: a part comes with a module that requires it. */
function askedFor({ id, category, part }: CatalogueModule, { modules }: Catalogue): string[] {
  if (category === 'base') return [];
  if (!part) return [id];
  return Object.values(modules)
    .filter(({ requires }) => requires?.includes(id))
    .slice(0, 1)
    .map((user) => user.id);
}
