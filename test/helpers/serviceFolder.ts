import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Catalogue } from '../../generators/engine/model.ts';
import { withRequired } from '../../generators/engine/resolve.ts';
import { render } from '../../generators/engine/render.ts';
import { scratchFolder } from './scratch.ts';

/**
 * @param modules by their ids; what they require comes along
 * @param catalogue of the modules
 * @returns the folder of a service as it is laid down, with what it needs to run; removed when the test is over
 */
export function serviceFolder(modules: readonly string[], catalogue: Catalogue): string {
  const folder = scratchFolder();
  const manifest = newManifest({ name: 'orders', modules: withRequired(modules, catalogue) }, catalogue);
  for (const [file, { bytes }] of render(manifest, catalogue)) outputFileSync(path.join(folder, file), bytes);
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  return folder;
}
