import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { treeOf } from '../helpers/cli.ts';

/** With the real npm, and the service's own checks. */
describe('slipway add --verify', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-e2e-verify-'));
  const service = path.join(folder, 'orders');
  const slipway = (cwd: string, ...args: string[]) =>
    execa('node', [path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', 'slipway.cjs'), ...args], {
      cwd,
      // Without a server: the service's own checks are those of a fresh clone.
      env: {
        PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter),
        CI: 'true',
        NODE_OPTIONS: '',
        DATABASE_URL: undefined,
        REDIS_URL: undefined,
      },
      reject: false,
    });

  beforeAll(async () => {
    const { exitCode, stderr } = await slipway(
      folder,
      'new',
      'orders',
      '--yes',
      '--no-install',
      '--no-git',
      '--modules=none',
    );
    if (exitCode !== 0) throw new Error(stderr);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('lands nothing when the service’s own checks fail with the change, and says which', async () => {
    // It agrees with every service but one with a database.
    const guard = path.join(service, 'internal', 'guard.test.ts');
    writeFileSync(
      guard,
      [
        "import { expect, it } from 'vitest';",
        "import { modules } from './platform/app/modules.gen.ts';",
        '',
        "it('needs no database', () => {",
        '  const names: string[] = modules.map((module) => module.name);',
        "  expect(names).not.toContain('postgres');",
        '});',
        '',
      ].join('\n'),
    );
    const [before, copies] = [treeOf(service), scratchCopies()];
    const { exitCode, stderr } = await slipway(service, 'add', 'postgres', '--verify', '--no-install');
    expect(exitCode, stderr).toBe(1);
    expect(stderr).toContain('the changes do not pass: `npm run check` exited with 1');
    expect(stderr).toContain('needs no database');
    expect(stderr).toContain('nothing was written');
    expect(treeOf(service)).toEqual(before);
    expect(scratchCopies()).toEqual(copies);
    rmSync(guard);
  });

  it('lands the change when they pass', async () => {
    const { exitCode, stdout, stderr } = await slipway(service, 'add', 'postgres', '--verify', '--no-install');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('these pass in a copy of the service: npm run check');
    expect(stdout).toContain('Done');
    expect(treeOf(service)).toHaveProperty([path.join('internal', 'platform', 'postgres', 'module.ts')]);
    expect((await slipway(service, 'check')).exitCode).toBe(0);
  });
});

/** Of this and of other runs. */
function scratchCopies(): string[] {
  return readdirSync(os.tmpdir()).filter((name) => name.startsWith('slipway-verify-'));
}
