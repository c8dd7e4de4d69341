import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

/** Place → content of its package.json. The name is that of the place. */
type Packages = Readonly<Record<string, object>>;

/** Runs the script on a service with these packages and links. */
function check(packages: Packages, links: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'licenses-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [place, content] of Object.entries(packages)) {
    const name = place.replace(/^.*node_modules\//, '') || 'orders';
    mkdirSync(path.join(folder, place), { recursive: true });
    writeFileSync(path.join(folder, place, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...content }));
  }
  for (const [place, target] of Object.entries(links)) {
    mkdirSync(path.join(folder, path.dirname(place)), { recursive: true });
    symlinkSync(path.join(folder, target), path.join(folder, place));
  }
  const script = path.join(import.meta.dirname, 'licenses.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const needsLeaf = { dependencies: { leaf: '1' } };

describe('the check of licences', () => {
  it.each(['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND Apache-2.0', 'GPL-3.0-only OR MIT AND Apache-2.0'])(
    'allows %s',
    (license) => {
      expect(check({ '': needsLeaf, 'node_modules/leaf': { license } })).toMatchObject({
        status: 0,
        stdout: 'licences: 1 packages, 0 faults\n',
      });
    },
  );

  it.each([
    'GPL-3.0-only',
    'MIT AND GPL-3.0-only',
    'SEE LICENSE IN LICENSE',
    'MIT AND (GPL-3.0-only OR ISC)',
    'Unknown',
  ])('refuses %s and names the package', (license) => {
    const { status, stderr } = check({ '': needsLeaf, 'node_modules/leaf': { license } });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `leaf@1.0.0: ${license} is not allowed by scripts/licenses.json\n`,
    });
  });

  it.each([undefined, { type: 'MIT' }])('refuses a package that names none: %o', (license) => {
    const { status, stderr } = check({ '': needsLeaf, 'node_modules/leaf': { license } });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('leaf@1.0.0: no licence') });
  });

  it('finds what production needs in nested folders, and each package once', () => {
    const packages = {
      '': { dependencies: { a: '1', b: '1' }, devDependencies: { tool: '1' }, optionalDependencies: { other: '1' } },
      'node_modules/a': { license: 'MIT', dependencies: { leaf: '1' }, peerDependencies: { peer: '1' } },
      'node_modules/a/node_modules/leaf': { license: 'MIT' },
      'node_modules/b': { license: 'MIT', dependencies: { leaf: '2', a: '1' }, peerDependencies: { tool: '1' } },
      'node_modules/leaf': { version: '2.0.0', license: 'GPL-3.0-only' },
      'node_modules/peer': { license: 'MIT' },
      'node_modules/tool': { license: 'GPL-3.0-only' },
    };
    const optional = { peerDependenciesMeta: { tool: { optional: true } } };
    const result = check({ ...packages, 'node_modules/b': { ...packages['node_modules/b'], ...optional } });
    expect(result).toEqual({
      status: 1,
      stdout: 'licences: 5 packages, 1 faults\n',
      stderr: 'leaf@2.0.0: GPL-3.0-only is not allowed by scripts/licenses.json\n',
    });
  });

  it('finds what pnpm links', () => {
    const store = 'node_modules/.pnpm';
    const packages = {
      '': { dependencies: { a: '1' } },
      [`${store}/a@1.0.0/node_modules/a`]: { license: 'MIT', dependencies: { leaf: '1' } },
      [`${store}/leaf@1.0.0/node_modules/leaf`]: { license: 'MIT' },
    };
    const links = {
      'node_modules/a': `${store}/a@1.0.0/node_modules/a`,
      [`${store}/a@1.0.0/node_modules/leaf`]: `${store}/leaf@1.0.0/node_modules/leaf`,
    };
    expect(check(packages, links)).toMatchObject({ status: 0, stdout: 'licences: 2 packages, 0 faults\n' });
  });

  it('leaves out the members of a workspace, but not what they need', () => {
    const packages = {
      '': { dependencies: { member: '*' } },
      'packages/member': { name: 'member', license: 'UNLICENSED', dependencies: { leaf: '1' } },
      'node_modules/leaf': { license: 'MIT' },
    };
    expect(check(packages, { 'node_modules/member': 'packages/member' })).toMatchObject({
      status: 0,
      stdout: 'licences: 1 packages, 0 faults\n',
    });
  });

  it('fails when a package is not installed', () => {
    expect(check({ '': needsLeaf })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^leaf is not installed, which .+ needs\n$/),
    });
  });
});
