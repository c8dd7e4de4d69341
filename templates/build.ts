/**
 * Builds the catalogue: reads every module folder, takes the environment variables from the services' own TypeBox
 * schemas, and writes all of it to one file. Run with `node templates/build.ts`.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { newManifest } from '../generators/engine/manifest.ts';
import type {
  Catalogue,
  CatalogueModule,
  ConfigVariable,
  Contract,
  ModuleDefinition,
  NpmPackages,
  Ownership,
  Preset,
  ResourceTemplates,
  TemplateFile,
} from '../generators/engine/model.ts';
import { withoutIntegrity } from '../generators/engine/packageManagers/pnpmLock.ts';
import { modulesOf } from '../generators/engine/resolve.ts';
import { printCatalogue } from '../generators/engine/catalogueText.ts';
import { composeContract } from '../generators/engine/compose/contract.ts';
import { resourceModules } from '../generators/engine/resources/resourceModules.ts';
import { composeResources } from '../generators/engine/compose/resources.ts';
import { composeWiring } from '../generators/engine/compose/wiring.ts';
import { sorted } from '../generators/engine/json.ts';
import { isIn } from '../generators/engine/names.ts';
import { printers } from '../generators/printers.ts';
import { migrations, nodeImage, packageManagers } from './catalogue.ts';
import { parseTemplate } from './parseTemplate.ts';
import { describeVariables } from './variables.ts';

const templates = import.meta.dirname;
const root = path.dirname(templates);

/**
 * @returns the catalogue of this repository
 */
export async function buildCatalogue(): Promise<Catalogue> {
  const { version } = await readJson<{ version: string }>(path.join(root, 'package.json'));
  const pack = await readJson<
    Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>
  >(path.join(templates, 'package.json'));
  const ids = await folders(path.join(templates, 'modules'));
  const modules = await Promise.all(
    ids.map(async (id) => [id, await readModule(path.join(templates, 'modules', id))] as const),
  );
  return {
    version,
    manifestVersion: 1 + migrations.length,
    migrations,
    node: pinnedNode(pack.optionalDependencies),
    packageManagers,
    lockfiles: {
      npm: (await readJson<{ packages: NpmPackages }>(path.join(templates, 'package-lock.json'))).packages,
      pnpm: withoutIntegrity(await readFile(path.join(templates, 'pnpm-lock.yaml'), 'utf8')),
      yarn: await readFile(path.join(templates, 'yarn.lock'), 'utf8'),
    },
    versions: sorted({ ...pack.dependencies, ...pack.devDependencies }),
    base: await readModule(path.join(templates, 'base')),
    modules: Object.fromEntries(modules),
    presets: await readPresets(),
    printers,
  };
}

/** Reads the version of Node from npm. Node has one package for each platform, and all of them have one version. */
function pinnedNode(packages: Readonly<Record<string, string>>): Catalogue['node'] {
  const [npm, ...others] = new Set(Object.values(packages));
  if (npm === undefined || others.length > 0) throw new Error('templates/package.json: Node comes in several versions');
  return { image: nodeImage, npm, packages: Object.keys(packages).sort() };
}

async function readModule(folder: string): Promise<CatalogueModule> {
  const definition = await importDefault<ModuleDefinition>(path.join(folder, 'module.ts'));
  if (definition.id !== path.basename(folder)) throw new Error(`${folder}/module.ts calls itself "${definition.id}"`);
  const files = path.join(folder, 'files');
  const contract = path.join(folder, 'contract.json');
  const resource = path.join(folder, 'resource');
  const paths = await filesIn(files);
  return {
    ...definition,
    files: await Promise.all(paths.map((name) => readTemplate(files, name, definition))),
    config: await readConfig(files, paths),
    ...(existsSync(contract) ? { contract: await readJson<Contract>(contract) } : {}),
    ...(existsSync(resource) ? { resource: await readResource(resource, definition) } : {}),
  };
}

/** Reads what a module adds to each resource. The paths of its files are templates, too. */
async function readResource(folder: string, definition: ModuleDefinition): Promise<ResourceTemplates> {
  const [types, contract, lists] = ['types.json', 'contract.json.hbs', 'lists.json'] as const;
  const all = await filesIn(folder);
  const read = (name: string): Promise<TemplateFile> => readTemplate(folder, name, definition);
  const files = await Promise.all(
    all.filter((name) => ![types, contract, lists].some((other) => other === name)).map(read),
  );
  const listed = all.includes(lists) ? await readJson<Record<string, ListText>>(path.join(folder, lists)) : {};
  const printed = all.includes(contract) ? await read(contract) : undefined;
  return {
    files: files.map((file) => ({ ...file, path: parseTemplate(file.path, path.join(folder, file.path)) })),
    types: all.includes(types) ? await readJson<ResourceTemplates['types']>(path.join(folder, types)) : {},
    ...(printed && 'template' in printed ? { contract: printed.template } : {}),
    lists: Object.fromEntries(
      Object.entries(listed).map(([file, { list, from, ...text }]) => [
        file,
        { list, export: parseTemplate(text.export, lists), from: parseTemplate(from, lists) },
      ]),
    ),
  };
}

/** A list in `lists.json`. `export` and `from` are templates. */
type ListText = Readonly<Record<'list' | 'export' | 'from', string>>;

/** Returns the paths of all files in a folder, sorted. */
async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort();
}

async function readTemplate(folder: string, name: string, definition: ModuleDefinition): Promise<TemplateFile> {
  const file = path.join(folder, name);
  const isTemplate = name.endsWith('.hbs');
  const target = isTemplate ? name.slice(0, -'.hbs'.length) : name;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  const { mode } = await stat(file);
  return {
    path: target,
    ownership: ownershipOf(target, definition),
    ...((mode & 0o100) === 0 ? {} : { executable: true }),
    ...(isPlatformTest(target, definition) ? { platformTest: true } : {}),
    ...(isTemplate ? { template: parseTemplate(text, file) } : { text }),
  };
}

function ownershipOf(target: string, { ownership }: ModuleDefinition): Ownership {
  if (isIn(target, ownership?.seed ?? [])) return 'seed';
  return isIn(target, ownership?.managed ?? []) ? 'managed' : 'merged';
}

function isPlatformTest(target: string, { platformTests }: ModuleDefinition): boolean {
  return (
    /^(?:internal\/platform|pkg|scripts)\/.*\.(?:test|suite)\.ts$/.test(target) || isIn(target, platformTests ?? [])
  );
}

/** Reads the settings of a module: the `config` export of `internal/<x>/config.ts`, a TypeBox object keyed by environment variable. */
async function readConfig(files: string, paths: readonly string[]): Promise<ConfigVariable[]> {
  const schemas = paths.filter((name) => /^internal\/(?:platform\/)?[^/]+\/config\.ts$/.test(name));
  const found = await Promise.all(
    schemas.map(async (name) => {
      const { config } = await importModule<{ config?: unknown }>(path.join(files, name));
      return config === undefined ? [] : describeVariables(config, name);
    }),
  );
  return found.flat();
}

async function readPresets(): Promise<Record<string, Preset>> {
  const folder = path.join(templates, 'presets');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const presets = names.map(async (name) => [name.slice(0, -'.json'.length), await readPreset(folder, name)] as const);
  return Object.fromEntries(await Promise.all(presets));
}

/** Reads a preset. With `extends`, it has the modules and the resources of both presets. */
async function readPreset(folder: string, name: string): Promise<Preset> {
  const {
    summary,
    extends: other,
    modules,
    resources,
  } = await readJson<Preset & { extends?: string }>(path.join(folder, name));
  const more = other === undefined ? undefined : await readPreset(folder, `${other}.json`);
  const all = { ...more?.resources, ...resources };
  return {
    summary,
    modules: [...new Set([...(more?.modules ?? []), ...modules])].sort(),
    ...(Object.keys(all).length === 0 ? {} : { resources: all }),
  };
}

async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

// The files belong to this repository. The contract test over every module checks their shape.
/**
 * @param file absolute path of a JSON file
 * @returns its content
 */
export async function readJson<Value>(file: string): Promise<Value> {
  return JSON.parse(await readFile(file, 'utf8')) as Value;
}

async function importModule<Value>(file: string): Promise<Value> {
  return (await import(pathToFileURL(file).href)) as Value;
}

async function importDefault<Value>(file: string): Promise<Value> {
  return (await importModule<{ default: Value }>(file)).default;
}

/**
 * Writes what the templates need to be type-checked and tested in place, as one program: the wiring, the contract and the resources of
 * a service with all modules, and the list of the folders that form one tree in a service.
 */
async function writeProgram(catalogue: Catalogue): Promise<void> {
  const ids = Object.keys(catalogue.modules);
  // The contract has the name of the service. Here, this is the name of the templates' own package.
  const pack = await readJson<{ name: string }>(path.join(templates, 'package.json'));
  const resources = catalogue.presets['default']?.resources ?? {};
  const manifest = newManifest({ name: pack.name, modules: ids, resources }, catalogue);
  const chosen = modulesOf(manifest, catalogue);
  const slices = resourceModules(manifest, chosen, catalogue);
  const modules = [...chosen, ...slices];
  const folder = path.join(root, '.cache', 'templates');
  const input = { manifest, catalogue, modules, paths: [] };
  await rm(folder, { recursive: true, force: true });
  const sources = slices
    .flatMap(({ files }) => files)
    .flatMap((file) => ('text' in file && /\.(?:ts|proto)$/.test(file.path) ? [[file.path, file] as const] : []));
  const composed = [composeWiring, composeResources, composeContract].flatMap((compose) => [...compose(input)]);
  for (const [file, { text }] of [...sources, ...composed]) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  const roots = ['base', ...ids.map((id) => `modules/${id}`)].map((name) => `../../templates/${name}/files`);
  const config = { compilerOptions: { rootDirs: [...roots, '.'] } };
  await writeFile(path.join(folder, 'tsconfig.rootDirs.json'), JSON.stringify(config));
}

if (import.meta.main) {
  const catalogue = await buildCatalogue();
  await mkdir(path.join(root, 'dist'), { recursive: true });
  await writeFile(path.join(root, 'dist', 'catalogue.txt'), printCatalogue(catalogue));
  await writeProgram(catalogue);
}
