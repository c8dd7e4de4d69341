import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { commit, recover, refuseInterrupted } from '../../../generators/io/transaction.ts';
import { bundle } from '../../helpers/bundle.ts';
import { fsCalls, run, runStruck } from '../../helpers/crash.ts';
import { scratchFolder, snapshot, type Tree, writeFiles } from '../../helpers/scratch.ts';
import { changes, type Edit } from './children/plans.ts';

const isWindows = process.platform === 'win32';
const isRoot = process.getuid?.() === 0;
const act = await bundle(fileURLToPath(new URL('children/act.ts', import.meta.url)));

function service(tree: Tree = { 'a.ts': 'a' }): string {
  const root = join(scratchFolder(), 'orders');
  mkdirSync(root);
  writeFiles(root, tree);
  return root;
}

function refuses(root: string, edits: readonly Edit[], exitCode: number, message: RegExp | string): void {
  const before = snapshot(root);
  expect(() => commit(root, changes(edits))).toThrow(
    expect.objectContaining({ exitCode, message: expect.stringMatching(message) }),
  );
  expect(snapshot(root)).toEqual(before);
}

describe('commit', () => {
  it('does nothing for no changes', () => {
    const root = service();
    const before = snapshot(root);
    commit(root, []);
    expect(snapshot(root)).toEqual(before);
  });

  it.skipIf(isWindows)(
    'creates with the mode given, keeps the mode of what exists, but for its being a program',
    () => {
      const root = service({
        'private.ts': { text: 'p', mode: 0o600 },
        'script.sh': { text: 's', mode: 0o640 },
        'program.sh': { text: 'x', mode: 0o755 },
      });
      commit(
        root,
        changes([
          { path: 'private.ts', old: 'p', new: 'P' },
          { path: 'script.sh', old: 's', new: 'S', mode: 0o755 },
          { path: 'program.sh', old: 'x', new: 'x', mode: 0o644 },
          { path: 'new.sh', old: null, new: 'n', mode: 0o755 },
        ]),
      );
      expect(snapshot(root)).toEqual({
        'private.ts': 'file 600 P',
        'script.sh': 'file 750 S',
        'program.sh': 'file 644 x',
        'new.sh': 'file 755 n',
      });
    },
  );

  it('removes the folders that lost their last file, and no other empty one', () => {
    const root = service({ 'x/y/z.ts': 'z', 'x/keep.ts': 'k', 'gone/deep/a.ts': 'a' });
    mkdirSync(join(root, 'empty'));
    commit(
      root,
      changes([
        { path: 'x/y/z.ts', old: 'z', new: null },
        { path: 'gone/deep/a.ts', old: 'a', new: null },
      ]),
    );
    expect(Object.keys(snapshot(root))).toEqual(['empty', 'x', 'x/keep.ts']);
  });

  it('lets a file make room for a folder of its name', () => {
    const root = service({ thing: 't' });
    commit(
      root,
      changes([
        { path: 'thing/a/b.ts', old: null, new: 'b' },
        { path: 'thing', old: 't', new: null },
      ]),
    );
    expect(snapshot(root)).toMatchObject({ 'thing/a/b.ts': expect.stringContaining(' b') });
  });

  it('writes through a link that stays inside, and leaves the link', () => {
    const root = service({ 'real/a.ts': 'a' });
    symlinkSync('real', join(root, 'folder'));
    symlinkSync('real/a.ts', join(root, 'file.ts'));
    commit(
      root,
      changes([
        { path: 'file.ts', old: 'a', new: 'A' },
        { path: 'folder/b.ts', old: null, new: 'b' },
      ]),
    );
    expect(snapshot(root)).toMatchObject({ 'file.ts': 'link to real/a.ts', folder: 'link to real' });
    expect(readFileSync(join(root, 'real/a.ts'), 'utf8')).toBe('A');
    expect(readFileSync(join(root, 'real/b.ts'), 'utf8')).toBe('b');
  });

  it('refuses a link that leads out, as file and as parent, and leaves what is there alone', () => {
    const parent = scratchFolder();
    writeFiles(parent, { 'outside/a.ts': 'a', 'orders/x': 'x' });
    const root = join(parent, 'orders');
    symlinkSync('../outside', join(root, 'folder'));
    symlinkSync('../outside/a.ts', join(root, 'file.ts'));
    refuses(root, [{ path: 'folder/a.ts', old: 'a', new: 'A' }], 2, /^folder is a link that leads out/);
    refuses(root, [{ path: 'folder/b.ts', old: null, new: 'b' }], 2, /^folder is a link that leads out/);
    refuses(root, [{ path: 'file.ts', old: 'a', new: null }], 2, /^file\.ts is a link that leads out/);
    expect(readFileSync(join(parent, 'outside/a.ts'), 'utf8')).toBe('a');
  });

  it('refuses to stage through a link in the place of its own folder', () => {
    const parent = scratchFolder();
    writeFiles(parent, { 'outside/tx/precious': 'p', 'orders/src/precious': 'p' });
    const root = join(parent, 'orders');
    symlinkSync('../outside', join(root, '.slipway'));
    refuses(root, [{ path: 'b.ts', old: null, new: 'b' }], 2, /^\.slipway is not a folder$/);
    expect(() => recover(root)).toThrow(/^\.slipway is not a folder$/);
    expect(existsSync(join(parent, 'outside/tx/precious'))).toBe(true);
    const second = service({ 'src/precious': 'p', '.slipway/lock.jsonl': '{}' });
    symlinkSync('../src', join(second, '.slipway/tx'));
    expect(() => recover(second)).toThrow(/^\.slipway\/tx is not a folder$/);
    expect(existsSync(join(second, 'src/precious'))).toBe(true);
  });

  it('refuses the same file under two names', () => {
    const root = service();
    symlinkSync('a.ts', join(root, 'b.ts'));
    refuses(
      root,
      [
        { path: 'a.ts', old: 'a', new: 'A' },
        { path: 'b.ts', old: 'a', new: 'B' },
      ],
      2,
      'b.ts and a.ts are the same file',
    );
  });

  it.for(['../x', '/etc/x', '.git/config', '.slipway/tx/journal.json', '.slipway/running.json'])(
    'refuses the path %s',
    (path) => {
      refuses(service(), [{ path, old: null, new: 'x' }], 2, /path|own state/);
    },
  );

  it.for<[string, Edit]>([
    ['is there, and should not be', { path: 'a.ts', old: null, new: 'b' }],
    ['is not there, and should be', { path: 'b.ts', old: 'b', new: 'c' }],
    ['has other content', { path: 'a.ts', old: 'other', new: 'b' }],
    ['has other content, and would be removed', { path: 'a.ts', old: 'other', new: null }],
  ])('refuses when a file %s', ([, edit]) => {
    const other = { path: 'fine/new.ts', old: null, new: 'n' };
    refuses(service(), [other, edit], 1, `${edit.path} has changed since the plan was made`);
  });

  it.skipIf(isWindows)(
    'refuses a pipe and a folder in the place of a file, and a file in the place of a folder',
    () => {
      const root = service({ a: 'a' });
      spawnSync('mkfifo', [join(root, 'pipe')]);
      mkdirSync(join(root, 'folder'));
      refuses(root, [{ path: 'pipe', old: null, new: 'x' }], 2, 'pipe is a pipe or a device');
      refuses(root, [{ path: 'folder', old: null, new: 'x' }], 2, 'folder is a folder');
      refuses(root, [{ path: 'a/b.ts', old: null, new: 'x' }], 2, 'a is a file, where a/b.ts needs a folder');
    },
  );

  it('refuses to change or remove a read-only file, also as root', () => {
    const root = service({ 'fine.ts': 'f', 'fixed.ts': { text: 'f', mode: 0o444 } });
    const fine = { path: 'fine.ts', old: 'f', new: 'F' };
    refuses(root, [fine, { path: 'fixed.ts', old: 'f', new: 'F' }], 2, 'fixed.ts is read-only');
    refuses(root, [fine, { path: 'fixed.ts', old: 'f', new: null }], 2, 'fixed.ts is read-only');
  });

  it.skipIf(isWindows)('refuses what another user owns, in one sentence, and changes nothing', async () => {
    const root = service({ 'theirs.ts': 't', 'closed/x.ts': 'x' });
    chmodSync(join(root, '..'), 0o755);
    chmodSync(join(root, 'closed'), 0o555);
    if (isRoot) chmodSync(root, 0o777);
    else chmodSync(join(root, 'theirs.ts'), 0o444);
    chmodSync(join(act, '..'), 0o755);
    const before = snapshot(root);
    const as = isRoot ? { uid: 65_534 } : {};
    for (const [edit, message] of [
      [{ path: 'theirs.ts', old: 't', new: 'T' }, 'theirs.ts is read-only'],
      [{ path: 'closed/new.ts', old: null, new: 'n' }, 'closed/new.ts cannot be written: its folder is read-only'],
    ] as const) {
      const ending = await run({ args: [act, 'commit', root, JSON.stringify([edit])], ...as });
      expect(ending).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`^${message}.*\n.+\n$`)),
      });
    }
    expect(snapshot(root)).toEqual(before);
    chmodSync(join(root, 'closed'), 0o755);
  });

  it.skipIf(!isRoot)('leaves a file its owner when root changes it', () => {
    const root = service();
    execFileSync('chown', ['1234:1235', join(root, 'a.ts')]);
    commit(root, changes([{ path: 'a.ts', old: 'a', new: 'A' }]));
    const { uid, gid } = lstatSync(join(root, 'a.ts'));
    expect({ uid, gid }).toEqual({ uid: 1234, gid: 1235 });
  });

  it('breaks a hard link instead of changing what its other name shows', () => {
    const root = service();
    linkSync(join(root, 'a.ts'), join(root, 'other.ts'));
    commit(root, changes([{ path: 'a.ts', old: 'a', new: 'A' }]));
    expect(readFileSync(join(root, 'other.ts'), 'utf8')).toBe('a');
  });
});

describe('recover', () => {
  const edits: readonly Edit[] = [
    { path: 'a.ts', old: 'a', new: 'A' },
    { path: 'b.ts', old: 'b', new: null },
    { path: 'new/c.ts', old: null, new: 'c' },
    { path: 'd.ts', old: 'd', new: 'D' },
  ];

  /** A service whose commit was killed before (0) or right after (1) it was decided, or later. */
  async function interrupted(after: number): Promise<string> {
    const make = (): string => service({ 'a.ts': 'a', 'b.ts': 'b', 'd.ts': 'd' });
    const command = (root: string): Parameters<typeof run>[0] => ({
      args: [act, 'commit', root, JSON.stringify(edits)],
      under: root,
    });
    const calls = await fsCalls(command(make()));
    const decision = calls.findLastIndex((call) => call.endsWith('journal.new')) + 1;
    const root = make();
    expect(await runStruck(command(root), decision + after, 'kill')).toMatchObject({ signal: 'SIGKILL' });
    return root;
  }

  function journalOf(root: string): string {
    return join(root, '.slipway/tx/journal.json');
  }

  it('gives undefined when nothing was interrupted', () => {
    const root = service();
    expect(recover(root)).toBeUndefined();
    expect(() => refuseInterrupted(root)).not.toThrow();
    expect(recover(join(root, 'gone'))).toBeUndefined();
    expect(() => refuseInterrupted(join(root, 'gone'))).not.toThrow();
  });

  it('refuses to commit into a folder that is not there', () => {
    const root = join(service(), 'gone');
    expect(() => commit(root, changes([{ path: 'a/b.ts', old: null, new: 'a' }]))).toThrow(
      expect.objectContaining({ exitCode: 2, message: `the folder ${root} does not exist` }),
    );
    expect(existsSync(root)).toBe(false);
  });

  it('leaves what was edited after the interruption as the user has it, and tells', async () => {
    const root = await interrupted(1);
    writeFileSync(join(root, 'a.ts'), 'mine');
    writeFileSync(join(root, 'b.ts'), 'mine too');
    expect(() => refuseInterrupted(root)).toThrow(/interrupted/);
    expect(() => commit(root, changes([{ path: 'd.ts', old: 'd', new: 'x' }]))).toThrow(/interrupted/);
    expect(recover(root)).toMatchObject({ outcome: 'finished', kept: ['a.ts', 'b.ts'] });
    expect(readFileSync(join(root, 'a.ts'), 'utf8')).toBe('mine');
    expect(readFileSync(join(root, 'b.ts'), 'utf8')).toBe('mine too');
    expect(readFileSync(join(root, 'd.ts'), 'utf8')).toBe('D');
    expect(readFileSync(join(root, 'new/c.ts'), 'utf8')).toBe('c');
    expect(existsSync(join(root, '.slipway/tx'))).toBe(false);
  });

  it('takes a deletion after the interruption for an edit, too', async () => {
    const root = await interrupted(1);
    execFileSync('rm', [join(root, 'a.ts')]);
    expect(recover(root)).toMatchObject({ outcome: 'finished', kept: ['a.ts'] });
    expect(existsSync(join(root, 'a.ts'))).toBe(false);
  });

  it('does not follow a link that was put in place after the interruption', async () => {
    const root = await interrupted(1);
    writeFiles(join(root, '..'), { 'outside.ts': 'a' });
    execFileSync('ln', ['-sf', '../outside.ts', join(root, 'a.ts')]);
    expect(recover(root)).toMatchObject({ outcome: 'finished', kept: ['a.ts'] });
    expect(readFileSync(join(root, '../outside.ts'), 'utf8')).toBe('a');
  });

  it('makes a folder again that the user removed meanwhile', async () => {
    const root = await interrupted(1);
    execFileSync('rmdir', [join(root, 'new')]);
    expect(recover(root)).toMatchObject({ outcome: 'finished', kept: [] });
    expect(readFileSync(join(root, 'new/c.ts'), 'utf8')).toBe('c');
  });

  it('leaves a folder that the user has put something in when it rolls back', async () => {
    const root = await interrupted(0);
    writeFileSync(join(root, 'new/mine.ts'), 'mine');
    expect(recover(root)).toEqual({ outcome: 'rolled back', files: [], kept: [] });
    expect(readFileSync(join(root, 'new/mine.ts'), 'utf8')).toBe('mine');
    expect(readFileSync(join(root, 'a.ts'), 'utf8')).toBe('a');
    expect(existsSync(join(root, 'new/c.ts'))).toBe(false);
  });

  const hash = 'a'.repeat(64);
  it.for<[string, (text: string) => string]>([
    ['truncated', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['not an object', () => '[]'],
    ['of another version', (text) => text.replace('"version":1', '"version":2')],
    ['in an unknown state', (text) => text.replace('"committed"', '"maybe"')],
    ['without entries', (text) => text.replace('"entries"', '"others"')],
    ['with an entry that is none', (text) => text.replace(/"entries":\[.*\]/, '"entries":[7]')],
    ['with a path leading out', (text) => text.replace('"a.ts"', '"../a.ts"')],
    ['with an absolute path', (text) => text.replace('"a.ts"', '"/etc/passwd"')],
    ["with a path into git's folder", (text) => text.replace('"a.ts"', '".git/config"')],
    ['with a staged name leading out', (text) => text.replace('"staged":"0"', '"staged":"../lock.json"')],
    ['with a short hash', (text) => text.replace(/"before":"../, '"before":"')],
    ['with a removal that has a staged file', (text) => text.replace('"staged":null', '"staged":"1"')],
    ['with another hash for a staged file', (text) => text.replace(/"after":"[0-9a-f]+"/, `"after":"${hash}"`)],
    [
      'with a folder leading out',
      (text) => text.replace('"committed"', '"preparing"').replace(/"entries":\[.*\]/, '"folders":["../x"]'),
    ],
    ['of another machine', (text) => text.replace(/"host":"[^"]*"/, '"host":"elsewhere"')],
    ['of another folder', (text) => text.replace(/"folder":"\d+"/, '"folder":"1"')],
    ['of an unknown origin', (text) => text.replace(/,"host":.*/, '}')],
  ])('refuses a journal that is %s, in one sentence, and touches nothing', async ([, edit]) => {
    const root = await interrupted(1);
    writeFileSync(journalOf(root), edit(readFileSync(journalOf(root), 'utf8')));
    const before = snapshot(root);
    expect(() => recover(root)).toThrow(expect.objectContaining({ exitCode: 2, hint: expect.any(String) }));
    expect(snapshot(root)).toEqual(before);
  });

  it('does not replay a copy of an interrupted run, and says what to do', async () => {
    const root = await interrupted(1);
    const copy = `${root}-copy`;
    cpSync(root, copy, { recursive: true });
    const before = snapshot(copy);
    expect(() => recover(copy)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: '.slipway/tx holds the record of a run in another copy of this service: it is not replayed',
        hint: expect.stringContaining('delete .slipway/tx'),
      }),
    );
    expect(snapshot(copy)).toEqual(before);
    expect(recover(root)).toMatchObject({ outcome: 'finished', files: ['a.ts', 'b.ts', 'new/c.ts', 'd.ts'] });
  });

  it('refuses staged content that was edited, before it touches anything', async () => {
    const root = await interrupted(1);
    writeFileSync(join(root, '.slipway/tx/3'), 'other');
    const before = snapshot(root);
    expect(() => recover(root)).toThrow(/its record in \.slipway\/tx is damaged: what is staged for d\.ts/);
    expect(snapshot(root)).toEqual(before);
  });

  it('removes a transaction folder without a journal', () => {
    const root = service();
    writeFiles(root, { '.slipway/tx/0': 'half' });
    expect(recover(root)).toBeUndefined();
    expect(Object.keys(snapshot(root))).toEqual(['a.ts']);
  });
});
