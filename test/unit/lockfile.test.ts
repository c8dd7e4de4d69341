import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const lockfile: { packages: Record<string, { version?: string; resolved?: string; link?: boolean }> } =
  read('package-lock.json');

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

  it('records no download address', () => {
    const addresses = Object.values(lockfile.packages).filter(({ resolved, link }) => resolved !== undefined && !link);
    expect(addresses).toEqual([]);
  });
});
