import type { Catalogue, FileSet, Manifest } from './model.ts';
import { modulesOf } from './resolve.ts';
import { decode } from './text.ts';
import { moduleSpecifiers } from './reconcile/moduleSpecifiers.ts';
import { candidates } from './reconcile/usages.ts';
import { render } from './render.ts';

/**
 * @param manifest of a service
 * @param catalogue what it is made from
 * @returns paths of the platform's tests that the service does not have, because it does not ask for them
 */
function missingPlatformTests(manifest: Manifest, catalogue: Catalogue): string[] {
  if (manifest.platformTests) return [];
  const files = modulesOf(manifest, catalogue).flatMap((module) => module.files);
  return files.flatMap(({ path, platformTest }) => (platformTest ? [path] : []));
}

/**
 * @param path of a file of the platform
 * @param manifest of a service
 * @param catalogue what it is made from
 * @returns whether the tests of its folder are not in the service
 */
export function isUntested(path: string, manifest: Manifest, catalogue: Catalogue): boolean {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return folder !== '' && missingPlatformTests(manifest, catalogue).some((test) => test.startsWith(folder));
}

/**
 * @param folders that are ejected, each ending with `/`
 * @param manifest of the service
 * @param catalogue what it is made from
 * @returns the platform's tests in those folders, and the files that only such tests use, as far as these import them
 */
export function testsToEject(folders: readonly string[], manifest: Manifest, catalogue: Catalogue): FileSet {
  const missing = new Set(missingPlatformTests(manifest, catalogue));
  const all = render({ ...manifest, platformTests: true, ejected: [] }, catalogue);
  const found = new Set([...missing].filter((path) => folders.some((folder) => path.startsWith(folder))));
  // A file that is added while the set is walked is walked, too.
  for (const path of found) {
    const file = all.get(path);
    for (const { specifier } of moduleSpecifiers(file === undefined ? '' : (decode(file.bytes) ?? ''))) {
      if (!specifier.startsWith('.')) continue;
      for (const imported of candidates(path, specifier)) if (missing.has(imported)) found.add(imported);
    }
  }
  return new Map([...all].filter(([path]) => found.has(path)));
}
