// Runs in a mount namespace of its own, see ../fullDisk.test.ts: node fullDisk.ts <empty folder to mount on> <what to try>
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SlipwayError } from '../../../../generators/engine/errors.ts';
import { createTree } from '../../../../generators/io/freshTree.ts';
import { withServiceLock } from '../../../../generators/io/lock.ts';
import { commit, recover } from '../../../../generators/io/transaction.ts';
import { snapshot } from '../../../helpers/snapshot.ts';
import { changes, filesFrom } from './plans.ts';

const [, , disk = '', scenario = ''] = process.argv;
const root = join(disk, 'orders');
const ballast = join(disk, 'ballast');
const large = (letter: string): string => letter.repeat(20_000);
const edits = [
  { path: 'a.ts', old: large('a'), new: large('A') },
  { path: 'b.ts', old: large('b'), new: null },
  { path: 'new/deep/c.ts', old: null, new: large('c') },
  { path: 'new/d.ts', old: null, new: large('d') },
];

function mount(options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);
  mkdirSync(root);
  writeFileSync(join(root, 'a.ts'), large('a'));
  writeFileSync(join(root, 'b.ts'), large('b'));
}

/** Fills the disk but for some pages. */
function fillBut(pages: number): void {
  const { bsize, bfree } = statfsSync(disk);
  writeFileSync(ballast, Buffer.alloc((bfree - pages) * bsize));
}

function attempt(action: () => void): string {
  try {
    action();
    return 'done';
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    return `${error.exitCode}: ${error.message} (${error.hint ?? 'no hint'})`;
  }
}

const commits = (): string =>
  attempt(() =>
    withServiceLock(root, () => {
      recover(root);
      commit(root, changes(edits));
    }),
  );

const scenarios: Readonly<Record<string, () => unknown>> = {
  /** A commit with ever more space, each on a fresh tree, until it fits; then the first one that failed, with space again. */
  commit: () => {
    const attempts: { free: number; result: string; before: object; after: object; again: string; finally: object }[] =
      [];
    for (let free = 0; attempts.at(-1)?.result !== 'done' && free < 60; free += 1) {
      mount('size=1m');
      fillBut(free);
      const before = snapshot(root);
      const result = commits();
      const after = snapshot(root);
      rmSync(ballast);
      const again = result === 'done' ? 'not needed' : commits();
      attempts.push({ free, result, before, after, again, finally: snapshot(root) });
      execFileSync('umount', [disk]);
    }
    return attempts;
  },
  createTree: () => {
    mount('size=1m');
    fillBut(6);
    const target = join(disk, 'fresh');
    const result = attempt(() => createTree(target, filesFrom(edits)));
    const after = Object.keys(snapshot(disk)).filter((path) => !path.startsWith('orders'));
    rmSync(ballast);
    return {
      result,
      after,
      again: attempt(() => createTree(target, filesFrom(edits))),
      finally: Object.keys(snapshot(target)),
    };
  },
  readOnly: () => {
    mount('size=1m');
    const before = snapshot(root);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const bare = attempt(() => commit(root, changes(edits)));
    return { locked: commits(), bare, before, after: snapshot(root) };
  },
  /** Part of the service on another mount: of another file system, and of the same one, where only the mount table tells. */
  mounts: () => {
    mount('size=1m');
    for (const folder of ['tmpfs', 'bind', 'source']) mkdirSync(join(root, folder));
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(root, 'tmpfs')]);
    execFileSync('mount', ['--bind', join(root, 'source'), join(root, 'bind')]);
    execFileSync('mount', ['--bind', join(root, 'b.ts'), join(root, 'b.ts')]);
    const before = snapshot(root);
    const results = [
      { path: 'tmpfs/x.ts', old: null, new: 'x' },
      { path: 'bind/x/y.ts', old: null, new: 'x' },
      { path: 'b.ts', old: large('b'), new: 'B' },
    ].map((edit) => attempt(() => commit(root, changes([edit]))));
    return { results, before, after: snapshot(root), beside: attempt(() => commit(root, changes(edits.slice(0, 1)))) };
  },
};

process.stdout.write(JSON.stringify(scenarios[scenario]?.()));
