import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
type Packages = Record<string, { version?: string; integrity?: string; resolved?: string; link?: boolean }>;
const lockfile: { packages: Packages } = read('package-lock.json');

/** Each package that is downloaded, as `name@version integrity`. */
function entriesOf(packages: Packages): string[] {
  return Object.entries(packages).flatMap(([place, { version, integrity }]) =>
    integrity === undefined ? [] : [`${place.replace(/^.*node_modules\//, '')}@${version} ${integrity}`],
  );
}

describe('the lockfile', () => {
  // npm leaves out an optional package that does not exist, and says nothing.
  it.each(['package.json', 'templates/package.json'])('holds every package that %s names', (file) => {
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = read(file);
    const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(names.length).toBeGreaterThan(5);
    const held = (name: string) =>
      Object.keys(lockfile.packages).some((place) => place.endsWith(`node_modules/${name}`));
    expect(names.filter((name) => !held(name))).toEqual([]);
  });

  it('agrees with those of the templates: what is tested here is what a service gets', () => {
    const ofTemplates: Packages = read('templates/package-lock.json').packages;
    const [here, theirs] = [lockfile.packages, ofTemplates].map((packages) => new Set(entriesOf(packages)));
    expect([...(theirs ?? [])].filter((entry) => !here?.has(entry))).toEqual([]);
    const named = Object.keys(read('templates/package.json').dependencies);
    const placed = (name: string) =>
      lockfile.packages[`templates/node_modules/${name}`] ?? lockfile.packages[`node_modules/${name}`];
    expect(named.filter((name) => placed(name)?.version !== ofTemplates[`node_modules/${name}`]?.version)).toEqual([]);

    const { packages } = parse(readFileSync(path.join(root, 'templates/pnpm-lock.yaml'), 'utf8'));
    const pnpm = Object.entries<{ resolution: { integrity: string } }>(packages);
    expect(pnpm.map(([key, { resolution }]) => `${key} ${resolution.integrity}`).sort()).toEqual(
      [...(theirs ?? [])].sort(),
    );
  });

  it('agrees with that of Yarn: each package that npm has is there in a version that npm has', () => {
    const { __metadata: _metadata, ...entries } = parse(readFileSync(path.join(root, 'templates/yarn.lock'), 'utf8'));
    const yarn = Object.values<{ resolution: string }>(entries).map(({ resolution }) => resolution.replace('npm:', ''));
    const npm = entriesOf(read('templates/package-lock.json').packages).map((entry) => entry.split(' ')[0] ?? '');
    const nameOf = (id: string): string => id.replace(/(?<=.)@.*$/, '');
    const names = new Set(npm.map(nameOf));
    const held = yarn.filter((id) => !/@(?:patch|workspace):/.test(id) && names.has(nameOf(id)));
    expect(held.filter((id) => !npm.includes(id))).toEqual([]);
    expect([...names].filter((name) => !held.some((id) => nameOf(id) === name))).toEqual([]);
  });

  it('records no download address', () => {
    const all = [lockfile, read('templates/package-lock.json') as typeof lockfile].flatMap(({ packages }) =>
      Object.values(packages),
    );
    const addresses = all.filter(({ resolved, link }) => resolved !== undefined && !link);
    expect(addresses).toEqual([]);
  });
});
