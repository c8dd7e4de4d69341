import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { withServiceLock } from '../../../generators/io/lock.ts';
import { birthOf } from '../../../generators/io/processes.ts';
import { bundle } from '../../helpers/bundle.ts';
import { eachOf, type Command, fsCalls, run, runStruck } from '../../helpers/crash.ts';
import { scratchFolder, writeFiles } from '../../helpers/scratch.ts';

const act = await bundle(fileURLToPath(new URL('children/act.ts', import.meta.url)));

function service(): { root: string; lock: string } {
  const root = join(scratchFolder(), 'orders');
  writeFiles(root, { '.slipway/lock.jsonl': '{}' });
  return { root, lock: join(root, '.slipway/running.json') };
}

/** An id that no process has: of one that has just ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

/** Waits for a process that has stopped while it had a draft of its lock in the folder, and gives its id. */
async function stoppedIn(home: string): Promise<number> {
  for (;;) {
    const pid = readdirSync(home).flatMap((name) => /^running-(\d+)-[0-9a-f]{16}\.new$/.exec(name)?.[1] ?? [])[0];
    if (pid !== undefined && readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ')) return Number(pid);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function holder(facts: object): string {
  return JSON.stringify({ pid: process.pid, host: hostname(), started: '2026-01-01T00:00:00.000Z', ...facts });
}

describe('withServiceLock', () => {
  it('holds the lock while the action runs, gives its result, and leaves nothing behind', () => {
    const { root, lock } = service();
    const seen: unknown = withServiceLock(root, () => JSON.parse(readFileSync(lock, 'utf8')));
    expect(seen).toMatchObject({ pid: process.pid, host: hostname(), started: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(readdirSync(join(root, '.slipway'))).toEqual(['lock.jsonl']);
  });

  it('removes its folder again when it made it', () => {
    const root = scratchFolder();
    withServiceLock(root, () => expect(existsSync(join(root, '.slipway/running.json'))).toBe(true));
    expect(readdirSync(root)).toEqual([]);
  });

  it('releases the lock when the action throws', () => {
    const { root, lock } = service();
    expect(() =>
      withServiceLock(root, () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(existsSync(lock)).toBe(false);
  });

  it('holds the lock until a promise settles, well or not', async () => {
    const { root, lock } = service();
    const result = withServiceLock(root, async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return existsSync(lock);
    });
    expect(existsSync(lock)).toBe(true);
    expect(await result).toBe(true);
    expect(existsSync(lock)).toBe(false);
    await expect(withServiceLock(root, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    expect(existsSync(lock)).toBe(false);
  });

  it('refuses a second run, saying who holds it, since when, and what to do', async () => {
    const { root } = service();
    const child = spawn(process.execPath, [act, 'hold', root]);
    await once(child.stdout, 'data');
    expect(() => withServiceLock(root, () => 0)).toThrow(
      expect.objectContaining({
        exitCode: 1,
        message: expect.stringMatching(
          `^another run holds this service: process ${child.pid} on "${hostname()}", since "20`,
        ),
        hint: expect.stringContaining('running.json'),
      }),
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Its lock is stale now.
    expect(withServiceLock(root, () => 'mine')).toBe('mine');
  });

  it('lets a process that exits in the middle leave no lock', async () => {
    const { root, lock } = service();
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `process.on('SIGTERM', () => process.exit(0)); process.argv.splice(1, 0, '', 'hold', ${JSON.stringify(root)}); process.argv.length = 4; await import(${JSON.stringify(act)});`,
    ]);
    await once(child.stdout, 'data');
    expect(existsSync(lock)).toBe(true);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(existsSync(lock)).toBe(false);
  });

  it('takes over the lock of a dead process', async () => {
    const { root, lock } = service();
    writeFileSync(lock, holder({ pid: await deadPid() }));
    expect(withServiceLock(root, () => readFileSync(lock, 'utf8'))).toContain(`"pid":${process.pid}`);
    expect(readdirSync(join(root, '.slipway'))).toEqual(['lock.jsonl']);
  });

  it.skipIf(birthOf(process.pid) === undefined)('takes over the lock of a process whose id has been used again', () => {
    const { root, lock } = service();
    writeFileSync(lock, holder({ birth: 'another boot/1' }));
    expect(withServiceLock(root, () => 'mine')).toBe('mine');
    writeFileSync(lock, holder({ birth: birthOf(process.pid) }));
    expect(() => withServiceLock(root, () => 'mine')).toThrow(/another run holds this service/);
  });

  it.for([
    '',
    '{"pid":12',
    '[]',
    '{"pid":-1,"host":"a","started":"b"}',
    '{"pid":"1","host":"a","started":"b"}',
    '\0\0\0',
  ])('takes over a lock that says %j, unless it is just being written', (content) => {
    const { root, lock } = service();
    writeFileSync(lock, content);
    expect(() => withServiceLock(root, () => 'mine')).toThrow(/another run is just starting/);
    utimesSync(lock, new Date(0), new Date(0));
    expect(withServiceLock(root, () => 'mine')).toBe('mine');
  });

  it('never takes over the lock of another machine, and says how to', () => {
    const { root, lock } = service();
    writeFileSync(lock, holder({ host: 'elsewhere\u001b[31m' }));
    expect(() => withServiceLock(root, () => 0)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('on "elsewhere\\u001b[31m"'),
        hint: expect.stringContaining('delete'),
      }),
    );
    rmSync(lock);
    expect(withServiceLock(root, () => 'mine')).toBe('mine');
  });

  it('says so when a folder is in the place of the lock', () => {
    const { root, lock } = service();
    mkdirSync(lock);
    expect(() => withServiceLock(root, () => 0)).toThrow(
      expect.objectContaining({ exitCode: 2, message: `${lock} is a folder, where a file is expected` }),
    );
  });

  it('lets many processes at once take a stale lock over one at a time', { timeout: 300_000 }, async () => {
    const { root, lock } = service();
    const spans: { from: number; to: number }[] = [];
    for (let round = 0; round < 4; round += 1) {
      writeFileSync(lock, holder({ pid: await deadPid() }));
      const endings = await Promise.all(Array.from({ length: 8 }, () => run({ args: [act, 'holdBriefly', root] })));
      for (const { code, stdout, stderr } of endings) {
        if (code === 0) spans.push(JSON.parse(stdout));
        else expect(stderr).toMatch(/^another run (?:holds|is just starting)/);
      }
      expect(endings.some(({ code }) => code === 0)).toBe(true);
      expect(readdirSync(join(root, '.slipway'))).toEqual(['lock.jsonl']);
    }
    spans.sort((a, b) => a.from - b.from);
    for (const [index, { from }] of spans.entries()) expect(from).toBeGreaterThanOrEqual(spans[index - 1]?.to ?? 0);
  });

  it.skipIf(process.platform !== 'linux')('lets nobody else in while a stale lock is being taken over', async () => {
    const stale = holder({ pid: await deadPid() });
    const make = (): { root: string; command: Command } => {
      const { root, lock } = service();
      writeFileSync(lock, stale);
      return { root, command: { args: [act, 'recover', root], under: root } };
    };
    const calls = await fsCalls(make().command);
    const { root, command } = make();
    // The first stops right before it replaces the stale lock: a second one that did so now would have its lock replaced.
    const first = runStruck(command, calls.findIndex((call) => call.startsWith('renameSync')) + 1, 'stop');
    const pid = await stoppedIn(join(root, '.slipway'));
    const second = await run({ args: [act, 'holdBriefly', root] });
    process.kill(pid, 'SIGCONT');
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`another run holds this service: process ${pid} `),
    });
    expect(await first).toMatchObject({ code: 0 });
    expect(readdirSync(join(root, '.slipway'))).toEqual(['lock.jsonl']);
  });

  it('is free again after a process was killed at any point of taking it over', { timeout: 300_000 }, async () => {
    const pid = await deadPid();
    const make = (): { root: string; command: Command } => {
      const { root, lock } = service();
      writeFileSync(lock, holder({ pid }));
      return { root, command: { args: [act, 'recover', root], under: root } };
    };
    const calls = await fsCalls(make().command);
    expect(calls.some((call) => call.startsWith('renameSync'))).toBe(true);
    await eachOf([...calls.keys()], async (index) => {
      const { root, command } = make();
      expect(await runStruck(command, index + 1, 'kill')).toMatchObject({ signal: 'SIGKILL' });
      expect(withServiceLock(root, () => 'mine')).toBe('mine');
      expect(readdirSync(join(root, '.slipway'))).toEqual(['lock.jsonl']);
    });
  });
});
