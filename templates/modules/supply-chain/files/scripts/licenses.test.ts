import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** Runs the script on what a package manager lists. */
function check(list: unknown) {
  const input = typeof list === 'string' ? list : JSON.stringify(list);
  const script = path.join(import.meta.dirname, 'licenses.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** As npm and pnpm list one package. */
function listed(license: unknown) {
  const own = { name: 'orders', version: '0.1.0', location: '' };
  return {
    npm: [own, { name: 'leaf', version: '1.0.0', location: 'node_modules/leaf', license }],
    pnpm: { [String(license)]: [{ name: 'leaf', versions: ['1.0.0'] }] },
  };
}

describe.each(['npm', 'pnpm'] as const)('the licences that %s lists', (packageManager) => {
  it.each(['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND Apache-2.0', 'GPL-3.0-only OR MIT AND Apache-2.0'])(
    'are allowed: %s',
    (license) => {
      expect(check(listed(license)[packageManager])).toMatchObject({
        status: 0,
        stdout: 'licences: 1 packages, 0 refused\n',
      });
    },
  );

  it.each([
    'GPL-3.0-only',
    'MIT AND GPL-3.0-only',
    'SEE LICENSE IN LICENSE',
    'MIT AND (GPL-3.0-only OR ISC)',
    'Unknown',
  ])('are refused, and the package is named: %s', (license) => {
    const { status, stderr } = check(listed(license)[packageManager]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `leaf@1.0.0: ${license} is not allowed by scripts/licenses.json\n`,
    });
  });
});

describe('the check of licences', () => {
  it('leaves out the members of a workspace, and its root, which has no version', () => {
    const members = [
      { name: 'root', location: '' },
      { name: 'orders', version: '0.1.0', location: 'services/orders' },
    ];
    expect(check([...members, ...listed('MIT').npm])).toMatchObject({
      status: 0,
      stdout: 'licences: 1 packages, 0 refused\n',
    });
  });

  it.each([undefined, { type: 'MIT' }])('refuses a package that names none: %o', (license) => {
    expect(check(listed(license).npm)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('leaf@1.0.0: no licence'),
    });
  });

  it.each(['', '[]', '{}', '{ "error": {} }', JSON.stringify(listed('MIT').npm.slice(0, 1))])(
    'fails when the package manager lists nothing: %s',
    (list) => {
      expect(check(list).status).toBe(1);
    },
  );
});
