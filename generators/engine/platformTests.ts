import type { Catalogue, FileSet, Manifest } from './model.ts';
import { modulesOf } from './resolve.ts';
import { decode } from './text.ts';
import { moduleSpecifiers } from './reconcile/moduleSpecifiers.ts';
import { candidates } from './reconcile/specifiers.ts';
import { render } from './render.ts';

/**
 * @param manifest of a service
 * @param catalogue the catalogue of the service
 * @returns paths of the platform tests that the service lacks because its manifest does not ask for them
 */
function missingPlatformTests(manifest: Manifest, catalogue: Catalogue): string[] {
  if (manifest.platformTests) return [];
  const files = modulesOf(manifest, catalogue).flatMap((module) => module.files);
  return files.flatMap(({ path, platformTest }) => (platformTest ? [path] : []));
}

/**
 * @param path of a file of the platform
 * @param manifest of a service
 * @param catalogue the catalogue of the service
 * @returns whether the service lacks the tests of the file's folder
 */
export function isUntested(path: string, manifest: Manifest, catalogue: Catalogue): boolean {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return folder !== '' && missingPlatformTests(manifest, catalogue).some((test) => test.startsWith(folder));
}

/**
 * @param folders ejected folders, each ending with `/`
 * @param manifest of the service
 * @param catalogue the catalogue of the service
 * @returns the platform tests in those folders, and the files that only such tests use, if these tests import them
 */
export function testsToEject(folders: readonly string[], manifest: Manifest, catalogue: Catalogue): FileSet {
  const missing = new Set(missingPlatformTests(manifest, catalogue));
  const all = render({ ...manifest, platformTests: true, ejected: [] }, catalogue);
  const found = new Set([...missing].filter((path) => folders.some((folder) => path.startsWith(folder))));
  // The loop also visits files that it adds to the set.
  for (const path of found) {
    const file = all.get(path);
    for (const { specifier } of moduleSpecifiers(file === undefined ? '' : (decode(file.bytes) ?? ''))) {
      if (!specifier.startsWith('.')) continue;
      for (const imported of candidates(path, specifier)) if (missing.has(imported)) found.add(imported);
    }
  }
  return new Map([...all].filter(([path]) => found.has(path)));
}
