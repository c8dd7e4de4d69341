import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

/** A package that is installed. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression; empty when it says none. */
  readonly license: string;
  /** What it needs itself. */
  readonly dependencies: readonly InstalledPackage[];
}

const Names = Type.Optional(Type.Record(Type.String(), Type.Unknown()));
const Manifest = Type.Object({
  name: Type.String(),
  version: Type.String(),
  license: Type.Optional(Type.Unknown()),
  dependencies: Names,
  optionalDependencies: Names,
});

/**
 * Follows `dependencies` as Node resolves them, whichever package manager laid them down. The tools that do this for npm
 * do not know pnpm's layout, and the other way round.
 * @param folder of the service, installed
 * @returns the service itself, and what it needs in production
 * @throws {Error} when one that is not optional is missing
 */
export function installedService(folder: string): InstalledPackage {
  const found = new Map<string, InstalledPackage>();
  const visit = (file: string): InstalledPackage => {
    const known = found.get(file);
    if (known !== undefined) return known;
    const { name, version, license, ...manifest } = read(file);
    const dependencies: InstalledPackage[] = [];
    const own = { name, version, license: typeof license === 'string' ? license : '', dependencies };
    // Before what it needs, which may need it in turn.
    found.set(file, own);
    const optional = Object.keys(manifest.optionalDependencies ?? {});
    for (const dependency of new Set([...Object.keys(manifest.dependencies ?? {}), ...optional])) {
      const next = locate(dependency, file);
      if (next !== undefined) dependencies.push(visit(next));
      else if (!optional.includes(dependency)) throw new Error(`${name} needs ${dependency}, which is missing`);
    }
    return own;
  };
  return visit(path.join(folder, 'package.json'));
}

/**
 * @param service as it is installed
 * @returns every package that it needs in production, sorted by name and version
 */
export function productionPackages(service: InstalledPackage): InstalledPackage[] {
  const found = new Set([service]);
  // A set goes on to what is added to it on the way.
  for (const { dependencies } of found) for (const dependency of dependencies) found.add(dependency);
  found.delete(service);
  return [...found].toSorted((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

function read(file: string): Static<typeof Manifest> {
  return Value.Parse(Manifest, JSON.parse(readFileSync(file, 'utf8')));
}

function locate(name: string, from: string): string | undefined {
  try {
    const file = findPackageJSON(name, pathToFileURL(from));
    // pnpm links packages: beside the real one lie those that it needs.
    return file && realpathSync(file);
  } catch {
    return undefined;
  }
}

/**
 * @param license SPDX expression, parentheses around the whole at most: https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/
 * @param allowed identifiers
 * @returns whether one may choose allowed licences only; false for what it cannot read
 */
export function isAllowed(license: string, allowed: readonly string[]): boolean {
  const choices = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((identifier) => allowed.includes(identifier)));
}
