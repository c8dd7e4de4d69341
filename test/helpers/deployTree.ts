import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { composeConfigEnv } from '../../generators/engine/compose/configEnv.ts';
import { composeContainers } from '../../generators/engine/compose/containers.ts';
import { composeKustomization } from '../../generators/engine/compose/kustomization.ts';
import type { Catalogue, CatalogueModule } from '../../generators/engine/catalogue.ts';
import type { Manifest } from '../../generators/engine/manifest.ts';
import type { ModuleDefinition } from '../../generators/engine/module.ts';
import { renderFiles, sampleContext } from './renderTemplate.ts';
import { sampleModule } from './sampleModule.ts';

const modulesFolder = new URL('../../templates/modules/', import.meta.url);

/** Ids of all modules: the folders under `templates/modules/`. */
export const moduleIds: readonly string[] = existsSync(modulesFolder) ? readdirSync(modulesFolder).toSorted() : [];

/**
 * @param id a module's id
 * @returns what the module says about itself, as its `module.ts` exports it
 */
export async function moduleDefinition(id: string): Promise<ModuleDefinition> {
  const { default: definition } = await import(fileURLToPath(new URL(`${id}/module.ts`, modulesFolder)));
  return definition;
}

/**
 * @param ids modules beside the base
 * @returns path → text of everything that stands in a service `orders` with these modules, the files for Kubernetes and
 *   Compose that the engine composes included
 */
export async function deployTree(ids: readonly string[] = []): Promise<ReadonlyMap<string, string>> {
  const files = new Map(renderFiles('base'));
  const modules: CatalogueModule[] = [sampleModule('base')];
  for (const id of ids) {
    const definition = await moduleDefinition(id);
    const options = Object.fromEntries(
      Object.entries(definition.options ?? {}).map(([key, option]) => [key, option.default]),
    );
    for (const [path, text] of renderFiles(`modules/${id}`, { ...sampleContext(), options })) files.set(path, text);
    modules.push(sampleModule(id, definition));
  }
  const input = {
    manifest: sampleManifest(ids),
    catalogue: sampleCatalogue(modules),
    modules,
    paths: [...files.keys()].toSorted(),
  };
  for (const compose of [composeContainers, composeKustomization, composeConfigEnv]) {
    for (const [path, { text }] of compose(input)) files.set(path, text);
  }
  return files;
}

/** A node of a YAML or JSON document. Tests look into many shapes: `any` of the parser's own type, kept in this one place. */
export type Document = ReturnType<typeof JSON.parse>;

/**
 * @param files path → text
 * @param pattern which paths
 * @returns every document of the YAML and JSON files among them
 * @throws Error when one does not parse
 */
export function documents(files: ReadonlyMap<string, string>, pattern: RegExp): Document[] {
  return [...files]
    .filter(([path]) => pattern.test(path) && /\.(ya?ml|json)$/.test(path))
    .flatMap(([path, text]) =>
      parseAllDocuments(text).map((document) => {
        const [error] = document.errors;
        if (error) throw new Error(`${path}: ${error.message}`);
        return document.toJS();
      }),
    );
}

/**
 * @param files path → text
 * @param pattern which paths
 * @param kind a Kubernetes kind
 * @returns the only document of this kind
 * @throws Error when there is none, or more than one
 */
export function only(files: ReadonlyMap<string, string>, pattern: RegExp, kind: string): Document {
  const found = documents(files, pattern).filter((document) => document?.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} documents of kind ${kind} in ${pattern.source}`);
  return found[0];
}

function sampleManifest(ids: readonly string[]): Manifest {
  return {
    $schema: 'x',
    version: 1,
    catalogue: '0.0.0',
    service: sampleContext().service,
    packageManager: 'npm',
    ci: [],
    modules: Object.fromEntries(ids.map((id) => [id, {}])),
  };
}

function sampleCatalogue([base = sampleModule('base'), ...modules]: readonly CatalogueModule[]): Catalogue {
  return {
    version: '0.0.0',
    manifestVersion: 1,
    migrations: [],
    node: { image: sampleContext().node.version, npm: '26.10.0', packages: [] },
    pnpm: '10.34.8',
    versions: {},
    base,
    modules: Object.fromEntries(modules.map((module) => [module.id, module])),
    presets: {},
  };
}
