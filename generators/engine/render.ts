import type { Catalogue, CatalogueModule, FileSet, Manifest, RenderedFile, TemplateFile } from './model.ts';
import { renderTemplate, templateContext } from './template.ts';
import { modulesOf } from './resolve.ts';
import { encode } from './text.ts';
import { composers } from './compose/index.ts';
import { SlipwayError, exitCodes } from './errors.ts';
import { resourceModules } from './resources/resourceModules.ts';
import { isIn } from './names.ts';

const ordinary = 0o644;
const executable = 0o755;

/**
 * Returns the service's files as Slipway would write them now. The function is pure: the same manifest and catalogue give the same
 * bytes. The order in which the user added the modules has no effect.
 * @param manifest the desired state
 * @param catalogue all modules
 * @returns path → file, sorted by path
 * @throws SlipwayError when two modules bring the same path, or disagree about a shared file
 */
export function render(manifest: Manifest, catalogue: Catalogue): FileSet {
  const chosen = modulesOf(manifest, catalogue);
  const modules = [...chosen, ...resourceModules(manifest, chosen, catalogue)];
  const isHosted = hostedBy(modules, catalogue);
  const files = new Map<string, RenderedFile>();
  const put = (path: string, file: RenderedFile): void => {
    const other = files.get(path);
    if (other !== undefined) {
      throw new SlipwayError(exitCodes.failed, `modules "${other.module}" and "${file.module}" both bring ${path}`);
    }
    files.set(path, file);
  };
  for (const module of modules) {
    for (const file of module.files) {
      if (file.platformTest && !manifest.platformTests) continue;
      if (!isHosted(file.path)) continue;
      const rendered = renderFile(file, module, manifest, catalogue);
      // A template that prints nothing for this service is no file of it.
      if ('template' in file && rendered.bytes.length === 0) continue;
      put(file.path, rendered);
    }
  }
  const paths = [...files.keys()].sort();
  for (const compose of composers) {
    for (const [path, { text, ...file }] of compose({ manifest, catalogue, modules, paths })) {
      if (!isHosted(path)) continue;
      put(path, { ...file, bytes: encode(text), mode: ordinary, module: 'base' });
    }
  }
  for (const path of files.keys()) if (isIn(path, manifest.ejected ?? [])) files.delete(path);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function renderFile(
  file: TemplateFile,
  module: CatalogueModule,
  manifest: Manifest,
  catalogue: Catalogue,
): RenderedFile {
  const text = 'text' in file ? file.text : renderTemplate(file.template, templateContext(manifest, module, catalogue));
  return {
    bytes: encode(text),
    mode: file.executable ? executable : ordinary,
    ownership: file.ownership,
    module: module.id,
  };
}

/** @returns whether all modules that host a path are in the service; true for a path without a host */
function hostedBy(modules: readonly CatalogueModule[], catalogue: Catalogue): (path: string) => boolean {
  const present = new Set(modules.map(({ id }) => id));
  const closed = Object.values(catalogue.modules).flatMap(({ id, hosts = [] }) => (present.has(id) ? [] : hosts));
  return (path) => !isIn(path, closed);
}
