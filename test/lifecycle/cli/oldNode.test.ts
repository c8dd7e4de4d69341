import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { oldNode, scratchFolder, slipway, startSlipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

const node = oldNode ?? '';

describe.skipIf(oldNode === undefined)('on a Node too old for services (one between 20.19 and 24 on PATH)', () => {
  it('new pins a Node from npm, and says so', () => {
    using scratch = scratchFolder();
    const { exitCode, stdout } = slipway(['new', 'orders', '--yes', '--no-install', '--no-git'], {
      cwd: scratch.path,
      node,
    });
    expect(exitCode).toBe(0);
    const manifest = JSON.parse(readFileSync(path.join(scratch.path, 'orders/slipway.json'), 'utf8'));
    expect(stdout).toContain(`Node ${manifest.node.pinned} is pinned from npm`);
  });

  it('every command does what it does on a newer one', () => {
    using old = scratchService();
    using present = scratchService();
    for (const args of [
      ['add', 'postgres', '--no-install'],
      ['ci', '--provider', 'github,gitlab', '--no-install'],
      ['eject', 'README.md', '--no-install'],
      ['remove', 'postgres', '--no-install'],
      ['update', '--no-install'],
      ['check'],
      ['plan', 'add', 'postgres', '--json'],
      ['list', '--json'],
      ['info', 'postgres'],
      ['explain', 'package.json'],
      ['--help'],
      ['--version'],
    ]) {
      const [here, there] = [slipway(args, { cwd: old.path, node }), slipway(args, { cwd: present.path })];
      expect(here).toEqual(there);
      expect(here.exitCode).toBe(0);
    }
    expect(treeOf(old.path)).toEqual(treeOf(present.path));
  });

  it('errors are as clear', () => {
    using service = scratchService();
    const before = treeOf(service.path);
    expectFault(slipway(['add', 'nothing'], { cwd: service.path, node }), 2, 'there is no module "nothing"');
    expectFault(slipway(['frobnicate'], { cwd: service.path, node }), 2, 'there is no command');
    expectFault(slipway(['new', 'Bad Name'], { cwd: service.path, node }), 2, 'cannot be the name of a service');
    expect(treeOf(service.path)).toEqual(before);
    rmSync(path.join(service.path, '.slipway/lock.jsonl'));
    expectFault(slipway(['check'], { cwd: service.path, node }), 2, '.slipway/lock.jsonl is missing');
  });

  it('two runs at once, one on each, do not mix', async () => {
    using service = scratchService();
    const runs = await Promise.all([
      startSlipway(['add', 'postgres', '--no-install'], { cwd: service.path, node }).result,
      startSlipway(['ci', '--provider', 'gitlab', '--no-install'], { cwd: service.path }).result,
    ]);
    for (const { exitCode, stderr } of runs) {
      expect([0, 1]).toContain(exitCode);
      if (exitCode === 1) expect(stderr).toContain('another run');
    }
    expect(slipway(['check'], { cwd: service.path, node }).exitCode).toBe(0);
    expect(existsSync(path.join(service.path, '.slipway/running.json'))).toBe(false);
  });
});
