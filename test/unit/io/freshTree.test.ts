import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { createTree, isVacant } from '../../../generators/io/freshTree.ts';
import { bundle } from '../../helpers/bundle.ts';
import { run, runStruck } from '../../helpers/crash.ts';
import { scratchFolder, snapshot, writeFiles } from '../../helpers/scratch.ts';
import { filesFrom } from './children/plans.ts';

const isWindows = process.platform === 'win32';
const act = await bundle(fileURLToPath(new URL('children/act.ts', import.meta.url)));

const edits = [
  { path: 'slipway.json', old: null, new: '{}' },
  { path: 'scripts/start', old: null, new: '#!/bin/sh', mode: 0o755 },
  { path: 'internal/platform/app/deep/run.ts', old: null, new: 'export {};' },
  { path: 'internal/platform/app/stop.ts', old: null, new: 'export {};' },
];
const files = filesFrom(edits);

function paths(root: string): string[] {
  return Object.entries(snapshot(root)).flatMap(([path, entry]) => (entry.startsWith('folder') ? [] : [path]));
}

const whole = ['internal/platform/app/deep/run.ts', 'internal/platform/app/stop.ts', 'scripts/start', 'slipway.json'];

describe('createTree', () => {
  it.for(['orders', 'teams/a/orders'])('lays down a tree at %s, and leaves nothing beside it', (path) => {
    const parent = scratchFolder();
    createTree(join(parent, path), files);
    expect(paths(join(parent, path))).toEqual(whole);
    expect(readdirSync(parent)).toEqual([path.split('/')[0]]);
    if (!isWindows) expect(statSync(join(parent, path, 'scripts/start')).mode & 0o777).toBe(0o755);
  });

  it('fills an empty folder and leaves it the one it is, so that a shell may stand in it', () => {
    const folder = scratchFolder();
    const { ino } = statSync(folder);
    createTree(folder, files);
    expect(paths(folder)).toEqual(whole);
    expect(statSync(folder).ino).toBe(ino);
  });

  it('refuses a folder that is not empty, naming what is there', () => {
    const folder = scratchFolder();
    writeFiles(folder, { 'notes.txt': 'n' });
    const before = snapshot(folder);
    expect(() => createTree(folder, files)).toThrow(
      expect.objectContaining({ exitCode: 2, message: `${folder} is not empty: it holds notes.txt` }),
    );
    expect(snapshot(folder)).toEqual(before);
  });

  it.for(['../evil', '/evil', 'a/../../evil', '.git/config'])('refuses the path %s and leaves nothing', (path) => {
    const parent = scratchFolder();
    const evil = [...files, { path, bytes: new Uint8Array(), mode: 0o644 }];
    expect(() => createTree(join(parent, 'orders'), evil)).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(readdirSync(parent)).toEqual([]);
    mkdirSync(join(parent, 'empty'));
    expect(() => createTree(join(parent, 'empty'), evil)).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(Object.keys(snapshot(parent))).toEqual(['empty']);
  });

  it('refuses the same path twice and leaves nothing', () => {
    const parent = scratchFolder();
    expect(() => createTree(join(parent, 'orders'), [...files, ...files])).toThrow(
      expect.objectContaining({ exitCode: 1 }),
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  it('refuses to go below a file, or in the place of a link to nothing', () => {
    const parent = scratchFolder();
    writeFileSync(join(parent, 'file'), 'f');
    symlinkSync('nowhere', join(parent, 'dangling'));
    const before = snapshot(parent);
    expect(() => createTree(join(parent, 'file/orders'), files)).toThrow(
      expect.objectContaining({ name: 'SlipwayError' }),
    );
    expect(() => createTree(join(parent, 'dangling'), files)).toThrow(
      expect.objectContaining({ name: 'SlipwayError' }),
    );
    expect(snapshot(parent)).toEqual(before);
  });

  it('removes what killed runs have left, and not what a live one is writing', async () => {
    const parent = scratchFolder();
    const target = join(parent, 'orders');
    const command = { args: [act, 'createTree', target, JSON.stringify(edits)], under: parent };
    expect(await runStruck(command, 5, 'kill')).toMatchObject({ signal: 'SIGKILL' });
    const [left = ''] = readdirSync(parent);
    expect(left).toMatch(/^\.slipway-new-/);
    const live = left.replace(/\d+-([0-9a-f]{16}-orders)$/, `${process.ppid}-$1`);
    mkdirSync(join(parent, live));
    createTree(target, files);
    expect(readdirSync(parent).toSorted()).toEqual([live, 'orders'].toSorted());
  });

  it('lets one of two runs at once win, and neither leave a mix', async () => {
    const parent = scratchFolder();
    const target = join(parent, 'orders');
    const runs = Array.from({ length: 6 }, () => run({ args: [act, 'createTree', target, JSON.stringify(edits)] }));
    const endings = await Promise.all(runs);
    expect(endings.filter(({ code }) => code === 0)).toHaveLength(1);
    for (const { code, stderr } of endings) if (code !== 0) expect(stderr).not.toMatch(/^\s+at /m);
    expect(paths(parent)).toEqual(whole.map((path) => `orders/${path}`));
  });

  it.skipIf(isWindows)('says so where it may not write', async () => {
    const parent = scratchFolder();
    chmodSync(parent, 0o555);
    chmodSync(join(act, '..'), 0o755);
    const as = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const ending = await run({ args: [act, 'createTree', join(parent, 'orders'), JSON.stringify(edits)], ...as });
    expect(ending.stderr).toMatch(/^cannot create .*orders, so nothing was written: permission denied\n.+\n$/);
    expect(ending.code).toBe(1);
    chmodSync(parent, 0o755);
  });
});

describe('isVacant', () => {
  it('is true of what is not there and of an empty folder, false of any other, and refuses a file', () => {
    const folder = scratchFolder();
    expect(isVacant(folder)).toBe(true);
    expect(isVacant(join(folder, 'gone'))).toBe(true);
    writeFileSync(join(folder, 'a'), '');
    expect(isVacant(folder)).toBe(false);
    expect(() => isVacant(join(folder, 'a'))).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});
