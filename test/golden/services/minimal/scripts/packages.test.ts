import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installedService, isAllowed, productionPackages } from './packages.ts';

describe('isAllowed', () => {
  const allowed = ['MIT', 'Apache-2.0'];

  it.each(['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND Apache-2.0', 'GPL-3.0-only OR MIT AND Apache-2.0'])(
    'takes %s',
    (license) => {
      expect(isAllowed(license, allowed)).toBe(true);
    },
  );

  it.each(['', 'GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN LICENSE', 'MIT AND (GPL-3.0-only OR ISC)'])(
    'refuses "%s"',
    (license) => {
      expect(isAllowed(license, allowed)).toBe(false);
    },
  );
});

describe('productionPackages', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'packages-')));
    install('.', {
      name: 'service',
      dependencies: { a: '1' },
      devDependencies: { tool: '1' },
      optionalDependencies: { runtime: '1' },
    });
    install('node_modules/tool', { name: 'tool' });
    install('node_modules/runtime', { name: 'runtime' });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function install(where: string, manifest: object): void {
    mkdirSync(path.join(folder, where), { recursive: true });
    writeFileSync(
      path.join(folder, where, 'package.json'),
      JSON.stringify({ version: '1.0.0', license: 'MIT', ...manifest }),
    );
    writeFileSync(path.join(folder, where, 'index.js'), '');
  }

  it('follows dependencies of dependencies, in circles too, but not what is for development', () => {
    install('node_modules/a', { name: 'a', dependencies: { b: '1' }, optionalDependencies: { absent: '1' } });
    install('node_modules/a/node_modules/b', {
      name: 'b',
      version: '2.0.0',
      license: { type: 'MIT' },
      dependencies: { a: '1' },
    });
    const runtime = { name: 'runtime', version: '1.0.0', license: 'MIT', dependencies: [] };
    const service = installedService(folder);
    expect(service.dependencies).toEqual([expect.objectContaining({ name: 'a' }), runtime]);
    const [a, b, ...rest] = productionPackages(service);
    expect(a).toEqual({ name: 'a', version: '1.0.0', license: 'MIT', dependencies: [b] });
    expect(b).toEqual({ name: 'b', version: '2.0.0', license: '', dependencies: [a] });
    expect(rest).toEqual([runtime]);
  });

  it('follows the links that pnpm makes', () => {
    install('node_modules/.pnpm/a@1/node_modules/a', { name: 'a', dependencies: { b: '1' } });
    install('node_modules/.pnpm/a@1/node_modules/b', { name: 'b', dependencies: {} });
    symlinkSync('.pnpm/a@1/node_modules/a', path.join(folder, 'node_modules/a'));
    expect(productionPackages(installedService(folder)).map(({ name }) => name)).toEqual(['a', 'b', 'runtime']);
  });

  it('fails when a package is missing: nothing is known about it', () => {
    expect(() => installedService(folder)).toThrow('service needs a, which is missing');
  });
});
