import { parseAllDocuments } from 'yaml';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Manifest, Monorepo, PackageManager } from '../../generators/engine/model.ts';
import { offeredModules, withRequired } from '../../generators/engine/resolve.ts';
import { decode } from '../../generators/engine/text.ts';
import { render } from '../../generators/engine/render.ts';
import { buildCatalogue } from '../../templates/build.ts';

const catalogue = await buildCatalogue();
const { modules: preset = [], resources } = catalogue.presets['default'] ?? {};

/** Ids of all modules that are not in the default preset. */
export const moduleIds: readonly string[] = offeredModules(catalogue)
  .map(({ id }) => id)
  .filter((id) => !preset.includes(id));

/**
 * @param ids modules in addition to those of the default preset
 * @param packageManager package manager of the service
 * @param monorepo where it is
 * @param more resources in addition to those of the default preset
 * @returns path → text of a service `orders`
 */
export function deployTree(
  ids: readonly string[] = [],
  packageManager?: PackageManager,
  monorepo?: Monorepo,
  more: Manifest['resources'] = {},
): ReadonlyMap<string, string> {
  const modules = withRequired([...preset, ...ids], catalogue);
  const wanted = {
    name: 'orders',
    modules,
    resources: { ...resources, ...more },
    ...(packageManager && { packageManager }),
    monorepo,
  };
  const files = render(newManifest(wanted, catalogue), catalogue);
  return new Map([...files].map(([path, { bytes }]) => [path, decode(bytes) ?? '']));
}

/** A node of a YAML or JSON document. The tests read many shapes, so it is the `any` of the parser's own type, kept in this one place. */
export type Document = ReturnType<typeof JSON.parse>;

/**
 * @param files path → text
 * @param pattern matches the paths of the documents
 * @returns every document of the matching YAML and JSON files
 * @throws Error when one cannot be parsed
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
 * @param pattern matches the paths of the documents
 * @param kind a Kubernetes kind
 * @returns the only document of this kind
 * @throws Error when there is none, or more than one
 */
export function only(files: ReadonlyMap<string, string>, pattern: RegExp, kind: string): Document {
  const found = documents(files, pattern).filter((document) => document?.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} documents of kind ${kind} in ${pattern.source}`);
  return found[0];
}
