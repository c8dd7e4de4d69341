import { readFileSync } from 'node:fs';
import path from 'node:path';
import { copySync } from 'fs-extra/esm';
import { describe, expect, it, vi } from 'vitest';
import { bundled, layDown } from '../helpers/cli.ts';
import { type Command, fsCalls, run, runStruck } from '../helpers/crash.ts';
import { scratchFolder, snapshot } from '../helpers/scratch.ts';

const slipwayIn = (root: string, ...args: string[]): Command => ({
  args: [bundled(), ...args],
  cwd: root,
  under: root,
});
const adding = (root: string): Command => slipwayIn(root, 'add', 'postgres', '--no-install');

describe('two runs at once on one service', () => {
  it('one waits for nobody: it is refused, told which process is at work, and what to do', async () => {
    const root = layDown(scratchFolder('memory'), '--ci=github');
    const whole = path.join(scratchFolder('memory'), 'orders');
    copySync(root, whole);
    const calls = await fsCalls(adding(whole));
    const staging = calls.findIndex((call) => call.includes('.slipway/tx/20')) + 1;
    expect(staging).toBeGreaterThan(20);
    // The first is put to sleep in the middle of its work.
    const first = runStruck(adding(root), staging, 'stop');
    const pid = await vi.waitFor(() => {
      const holder: unknown = JSON.parse(readFileSync(path.join(root, '.slipway/running.json'), 'utf8'));
      const id = typeof holder === 'object' && holder !== null && 'pid' in holder ? Number(holder.pid) : 0;
      expect(readFileSync(`/proc/${id}/stat`, 'utf8')).toMatch(/^\d+ \(.*\) T /);
      return id;
    }, 20_000);
    const before = snapshot(root);
    for (const args of [['add', 'postgres'], ['ci', '--provider=gitlab'], ['update']]) {
      const second = await run(slipwayIn(root, ...args, '--no-install'));
      expect(second).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`process ${pid} on`) });
      expect(second.stderr).toContain('wait until it is done');
    }
    expect(snapshot(root)).toEqual(before);
    // A command that writes nothing is not told a tale about files that are half done.
    const check = await run(slipwayIn(root, 'check'));
    expect(check.code, check.stdout + check.stderr).toBe(1);
    process.kill(pid, 'SIGCONT');
    expect(await first).toMatchObject({ code: 0 });
    expect(snapshot(root)).toEqual(snapshot(whole));
  });

  it('started together, again and again: each succeeds or is refused, and the service is whole', async () => {
    const template = layDown(scratchFolder('memory'), '--ci=github');
    const whole = path.join(scratchFolder('memory'), 'orders');
    copySync(template, whole);
    expect(await run(adding(whole))).toMatchObject({ code: 0 });
    for (let round = 0; round < 6; round += 1) {
      const root = path.join(scratchFolder('memory'), 'orders');
      copySync(template, root);
      const endings = await Promise.all([adding(root), adding(root), adding(root)].map(run));
      for (const { code, stdout, stderr } of endings) {
        const outcome = code === 0 ? /Done|Nothing to do/ : /another run (?:holds this service|is just starting)/;
        expect(stdout + stderr).toMatch(outcome);
      }
      expect(endings.filter(({ code }) => code === 0).length).toBeGreaterThan(0);
      expect(snapshot(root)).toEqual(snapshot(whole));
    }
  });
});
