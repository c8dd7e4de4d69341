import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { copySync } from 'fs-extra/esm';
import { describe, expect, it } from 'vitest';

import { withServiceLock } from '../../generators/io/lock.ts';
import { recover } from '../../generators/io/transaction.ts';
import { bundle } from '../helpers/bundle.ts';
import {
  type Command,
  type Ending,
  eachOf,
  fsCalls,
  hasStrace,
  run,
  runKilledInKernel,
  runStruck,
  systemCalls,
} from '../helpers/crash.ts';
import { scratchFolder, snapshot, type Tree, writeFiles } from '../helpers/scratch.ts';
import type { Edit } from '../unit/io/children/plans.ts';

const act = await bundle(fileURLToPath(new URL('../unit/io/children/act.ts', import.meta.url)));

const before: Tree = {
  'slipway.json': '{"modules":[]}',
  '.slipway/lock.jsonl': '{"version":2}',
  'package.json': { text: '{"name":"orders"}', mode: 0o600 },
  'scripts/start': { text: 'echo start', mode: 0o644 },
  'internal/old/adapter.ts': 'export const old = 1;',
  'internal/old/deep/only.ts': 'export const only = 1;',
  'internal/mine.ts': '// mine',
  swap: 'a file that makes room for a folder',
};

/** Creates, updates and deletes, in folders that come, go and stay. */
const edits: readonly Edit[] = [
  { path: 'slipway.json', old: '{"modules":[]}', new: '{"modules":["postgres"]}' },
  { path: '.slipway/lock.jsonl', old: '{"version":2}', new: '{"version":2}\n{"path":"a"}' },
  { path: '.slipway/base.jsonl', old: null, new: 'base' },
  { path: 'package.json', old: '{"name":"orders"}', new: '{"name":"orders","private":true}' },
  { path: 'scripts/start', old: 'echo start', new: '#!/bin/sh\necho start', mode: 0o755 },
  { path: 'internal/old/adapter.ts', old: 'export const old = 1;', new: null },
  { path: 'internal/old/deep/only.ts', old: 'export const only = 1;', new: null },
  { path: 'internal/postgres/pool/pool.ts', old: null, new: `export const pool = ${'1'.repeat(5000)};` },
  { path: 'internal/postgres/module.ts', old: null, new: 'export const postgres = 1;' },
  { path: 'cmd/migrate', old: null, new: '#!/usr/bin/env node', mode: 0o755 },
  { path: 'swap', old: 'a file that makes room for a folder', new: null },
  { path: 'swap/inside.ts', old: null, new: 'export {};' },
];

/** The service as it was, in a folder of its own. */
function oldService(): string {
  const root = join(scratchFolder('memory'), 'orders');
  writeFiles(root, before);
  return root;
}

function committing(root: string): Command {
  return { args: [act, 'commit', root, JSON.stringify(edits)], under: root };
}

function recovering(root: string): Command {
  return { args: [act, 'recover', root], under: root };
}

async function newService(): Promise<string> {
  const root = oldService();
  expect(await run(committing(root))).toMatchObject({ code: 0, stderr: '' });
  return root;
}

/** What recovery makes of a tree: the old or the new one, or a mix, which is what must never be. */
function recovered(root: string, oldTree: object, newTree: object): 'old' | 'new' {
  const recovery = withServiceLock(root, () => recover(root));
  const tree = snapshot(root);
  const which = JSON.stringify(tree) === JSON.stringify(newTree) ? 'new' : 'old';
  expect(tree).toEqual(which === 'new' ? newTree : oldTree);
  if (recovery !== undefined)
    expect(recovery).toMatchObject({ outcome: which === 'new' ? 'finished' : 'rolled back', kept: [] });
  expect(withServiceLock(root, () => recover(root))).toBeUndefined();
  expect(snapshot(root)).toEqual(tree);
  return which;
}

/** Makes the journal of a copied tree one of this folder, because no copy of a journal is replayed. */
function claimJournal(root: string): void {
  const journal = join(root, '.slipway/tx/journal.json');
  if (!existsSync(journal)) return;
  const { ino } = statSync(join(root, '.slipway/tx'), { bigint: true });
  writeFileSync(journal, readFileSync(journal, 'utf8').replace(/"folder":"\d+"/, `"folder":"${ino}"`));
}

async function trees(): Promise<{ oldTree: Record<string, string>; newTree: Record<string, string> }> {
  return { oldTree: snapshot(oldService()), newTree: snapshot(await newService()) };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}

function expectNoStack({ stderr }: Ending): void {
  expect(stderr).not.toMatch(/^\s+at /m);
}

describe('law 6: the tree is the old one or the new one, never a mix', { timeout: 900_000 }, () => {
  it('the change used here does all that a change can do', async () => {
    const { oldTree, newTree } = await trees();
    expect(newTree).toMatchObject({
      'package.json': 'file 600 {"name":"orders","private":true}',
      'scripts/start': 'file 755 #!/bin/sh\necho start',
      'internal/postgres/module.ts': 'file 644 export const postgres = 1;',
      'cmd/migrate': 'file 755 #!/usr/bin/env node',
      'swap/inside.ts': 'file 644 export {};',
      'internal/mine.ts': oldTree['internal/mine.ts'],
    });
    expect(Object.keys(newTree)).not.toContain('internal/old');
    expect(Object.keys(newTree).filter((path) => path.startsWith('.slipway'))).toEqual([
      '.slipway',
      '.slipway/base.jsonl',
      '.slipway/lock.jsonl',
    ]);
  });

  it.for(['kill', 'torn'])('when a commit is struck at any of its calls: %s', async (how) => {
    const { oldTree, newTree } = await trees();
    const calls = await fsCalls(committing(oldService()));
    const outcomes: string[] = [];
    const points = range(calls.length).filter((at) => how === 'kill' || calls[at - 1]?.startsWith('write'));
    await eachOf(points, async (at) => {
      const root = oldService();
      expect(await runStruck(committing(root), at, how)).toMatchObject({ signal: 'SIGKILL' });
      outcomes[at] = recovered(root, oldTree, newTree);
    });
    // The commit point: old up to one call, new from there on.
    expect(Object.values(outcomes).join(' ')).toMatch(how === 'kill' ? /^(old ?)+(new ?)+$/ : /^(old ?)+$/);
    expect(points.length).toBeGreaterThan(how === 'kill' ? 60 : 10);
  });

  it('when recovery itself is killed at any of its calls, and run again', async () => {
    const { oldTree, newTree } = await trees();
    const calls = await fsCalls(committing(oldService()));
    const decision = calls.findLastIndex((call) => call.startsWith('renameSync') && call.endsWith('journal.new')) + 1;
    const lastRename = calls.findLastIndex((call) => call.startsWith('renameSync')) + 1;
    // With most to undo, with all to finish, with half of it to finish, with nothing but the journal left.
    for (const at of [decision, decision + 1, Math.round((decision + lastRename) / 2), lastRename + 1]) {
      const interrupted = oldService();
      await runStruck(committing(interrupted), at, 'kill');
      const copy = (): string => {
        const root = join(scratchFolder('memory'), 'orders');
        copySync(interrupted, root);
        claimJournal(root);
        return root;
      };
      const recoveryCalls = await fsCalls(recovering(copy()));
      await eachOf(range(recoveryCalls.length), async (call) => {
        const root = copy();
        expect(await runStruck(recovering(root), call, 'kill')).toMatchObject({ signal: 'SIGKILL' });
        expect(recovered(root, oldTree, newTree)).toBe(at === decision ? 'old' : 'new');
      });
      expect(recoveryCalls.length).toBeGreaterThan(8);
    }
  });

  it.for(['ENOSPC', 'EACCES'])('when any call of a commit fails with %s', async (code) => {
    const { oldTree, newTree } = await trees();
    const calls = await fsCalls(committing(oldService()));
    const decision = calls.findLastIndex((call) => call.startsWith('renameSync') && call.endsWith('journal.new')) + 1;
    await eachOf(range(calls.length), async (at) => {
      const root = oldService();
      const ending = await runStruck(committing(root), at, code);
      expectNoStack(ending);
      const call = calls[at - 1] ?? '';
      if (ending.code === 0) {
        // An emptied folder that resists does no harm, and must not keep the rest from being done.
        const seen = call.startsWith('rmdir') ? filesOf : (tree: typeof newTree) => tree;
        expect(seen(withoutLock(snapshot(root))), call).toEqual(seen(newTree));
      } else {
        expect(ending.code, ending.stderr).toBe(1);
        // Up to the decision the failed run itself has put everything back.
        if (at <= decision) expect(withoutLock(snapshot(root)), call).toEqual(oldTree);
        expect(recovered(root, oldTree, newTree)).toBe(at <= decision ? 'old' : 'new');
      }
    });
  });

  it.skipIf(!hasStrace && process.env['CI'] !== 'true')(
    'when the kernel kills a commit at any system call that changes something (needs strace)',
    async () => {
      const { oldTree, newTree } = await trees();
      const calls = await systemCalls(committing(oldService()));
      const outcomes = new Map<string, number>();
      await eachOf(calls, async (call) => {
        const root = oldService();
        const { signal } = await runKilledInKernel(committing(root), call);
        const which = `${recovered(root, oldTree, newTree)} ${signal ?? 'survived'}`;
        outcomes.set(which, (outcomes.get(which) ?? 0) + 1);
      });
      expect(outcomes.get('old SIGKILL')).toBeGreaterThan(20);
      expect(outcomes.get('new SIGKILL')).toBeGreaterThan(20);
    },
  );
});

/** A run that failed to remove its own lock leaves it behind: it is stale by then, and no part of the tree. */
function withoutLock(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !path.startsWith('.slipway/running')));
}

function filesOf(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([, entry]) => entry.startsWith('file')));
}

describe('law 6 for a new service: the folder is not there, or it is whole', { timeout: 900_000 }, () => {
  const files = edits.filter((edit) => edit.old === null);

  it.for([false, true])(
    'when createTree is killed at any of its calls; the folder exists before: %s',
    async (exists) => {
      const make = (): { parent: string; command: Command } => {
        const parent = scratchFolder('memory');
        if (exists) mkdirSync(join(parent, 'orders'));
        const root = join(parent, exists ? 'orders' : 'deep/down/orders');
        return { parent, command: { args: [act, 'createTree', root, JSON.stringify(files)], under: parent } };
      };
      const whole = make();
      const calls = await fsCalls(whole.command);
      const wholeTree = snapshot(whole.parent);
      const seen = new Set<string>();
      await eachOf(range(calls.length), async (at) => {
        const { parent, command } = make();
        expect(await runStruck(command, at, 'kill')).toMatchObject({ signal: 'SIGKILL' });
        // Run again, it either lays the tree down, leaving nothing of the killed run, or finds it complete.
        const again = await run(command);
        expectNoStack(again);
        expect(snapshot(parent)).toEqual(wholeTree);
        seen.add(again.code === 0 ? 'made' : 'was there');
      });
      expect(calls.length).toBeGreaterThan(15);
      expect([...seen]).toContain('made');
      if (exists) expect(seen).toContain('was there');
      else expect(existsSync(join(whole.parent, 'deep/down/orders/cmd/migrate'))).toBe(true);
    },
  );
});
