import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { scratchFolder } from '../helpers/scratch.ts';
import { serviceIn, type TestService } from './service.ts';

const folder = path.join(import.meta.dirname, 'releases');
/** Each release as it was packed: its own command line lays its service down, and edits are those of a user of that time. */
export const releases = readdirSync(folder).flatMap((name) => /^create-slipway-(.+)\.tgz$/.exec(name)?.[1] ?? []);

const unpacked = mkdtempSync(path.join(tmpdir(), 'slipway-releases-'));
afterAll(() => rmSync(unpacked, { recursive: true, force: true }));

/**
 * @param release its version
 * @param flags of `slipway new`
 * @returns a service of an earlier release, and the command line of that release
 */
export function serviceOf(
  release: string,
  ...flags: string[]
): { service: TestService; former: (...args: string[]) => void } {
  execFileSync('tar', ['-xzf', path.join(folder, `create-slipway-${release}.tgz`), '-C', unpacked]);
  const parent = scratchFolder('memory');
  const run = (cwd: string, args: readonly string[]): void => {
    const program = path.join(unpacked, 'package/dist/slipway.cjs');
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`slipway ${args.join(' ')} of ${release}: ${stderr}`);
  };
  run(parent, ['new', 'orders', '--yes', '--no-install', '--no-git', ...flags]);
  const root = path.join(parent, 'orders');
  return { service: serviceIn(root), former: (...args) => run(root, [...args, '--no-install']) };
}
