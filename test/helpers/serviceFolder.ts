import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Catalogue, Manifest } from '../../generators/engine/model.ts';
import { validateManifest } from '../../generators/engine/parseManifest.ts';
import { withRequired } from '../../generators/engine/resolve.ts';
import { render } from '../../generators/engine/render.ts';
import { scratchFolder } from './scratch.ts';

/**
 * @param modules ids of the modules; the modules that they require are added
 * @param catalogue catalogue of the modules
 * @param resources of the service
 * @returns the folder of a newly created service with what it needs to run; it is removed at the end of the test
 */
export function serviceFolder(
  modules: readonly string[],
  catalogue: Catalogue,
  resources: Manifest['resources'] = {},
): string {
  const folder = scratchFolder();
  writeService(folder, modules, catalogue, resources);
  return folder;
}

/**
 * Writes a newly created service, with what it needs to run.
 * @param folder an empty folder
 * @param modules ids of the modules; the modules that they require are added
 * @param catalogue catalogue of the modules
 * @param resources of the service
 */
export function writeService(
  folder: string,
  modules: readonly string[],
  catalogue: Catalogue,
  resources: Manifest['resources'] = {},
): void {
  const wanted = newManifest({ name: 'orders', modules: withRequired(modules, catalogue), resources }, catalogue);
  const manifest = validateManifest(wanted, catalogue);
  for (const [file, { bytes }] of render(manifest, catalogue)) outputFileSync(path.join(folder, file), bytes);
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
}
