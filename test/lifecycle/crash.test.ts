import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { copySync } from 'fs-extra/esm';
import { describe, expect, it } from 'vitest';
import { bundled, layDown } from '../helpers/cli.ts';
import { type Command, eachOf, type Ending, fsCalls, run, runStruck } from '../helpers/crash.ts';
import { scratchFolder, snapshot } from '../helpers/scratch.ts';

/** With CRASH_EVERY=1 every single call is struck; otherwise as many as a test says of each kind of call in each phase. */
const isExhaustive = process.env['CRASH_EVERY'] !== undefined;

function slipwayIn(root: string, ...args: string[]): Command {
  return { args: [bundled(), ...args], cwd: root, under: root };
}

const adding = (root: string): Command => slipwayIn(root, 'add', 'postgres', '--no-install');

/** The number of each call to strike at: of every kind of call, in every phase of the run, at most so many, evenly spread. */
function points(calls: readonly string[], phaseOf: (at: number) => string, limit: number): number[] {
  const most = isExhaustive ? calls.length : limit;
  const groups = new Map<string, number[]>();
  for (const [index, call] of calls.entries()) {
    const group = `${phaseOf(index + 1)} ${call.split(' ')[0]}`;
    groups.set(group, [...(groups.get(group) ?? []), index]);
  }
  const chosen = [...groups.values()].flatMap((indexes) => {
    const step = Math.max(1, (indexes.length - 1) / (most - 1));
    return Array.from({ length: Math.min(most, indexes.length) }, (_, index) => indexes[Math.round(index * step)] ?? 0);
  });
  return [...new Set(chosen)].map((index) => index + 1).sort((a, b) => a - b);
}

/** Of a commit: the lock, the staging, the decision, the placing, the cleaning up. */
function phasesOfCommit(calls: readonly string[]): (at: number) => string {
  const at = (name: RegExp): number => calls.findIndex((call) => name.test(call)) + 1;
  const begun = at(/^mkdirSync .*\.slipway\/tx$/);
  const decided = calls.findLastIndex((call) => /^renameSync .*journal\.new$/.test(call)) + 1;
  const done = at(/^rmSync .*journal\.json$/);
  expect([begun > 0, decided > begun, done > decided]).toEqual([true, true, true]);
  return (call) =>
    call < begun
      ? 'locking'
      : call < decided
        ? 'staging'
        : call === decided
          ? 'deciding'
          : call < done
            ? 'placing'
            : 'cleaning';
}

function told({ stdout, stderr }: Ending): string {
  const text = stdout + stderr;
  expect(text).not.toMatch(/\n {4}at |a fault of Slipway/);
  return text;
}

describe(
  'law 6 over the real command line: the tree is the old one or the new one',
  { timeout: isExhaustive ? 3_600_000 : 240_000 },
  () => {
    it('slipway add, killed at calls of every kind in every phase; recovered by update, add again, or doctor', async () => {
      const template = layDown(scratchFolder('memory'), '--ci=github');
      const copy = (): string => {
        const root = path.join(scratchFolder('memory'), 'orders');
        copySync(template, root);
        return root;
      };
      const oldTree = snapshot(template);
      const whole = copy();
      const calls = await fsCalls(adding(whole));
      const newTree = snapshot(whole);
      const phaseOf = phasesOfCommit(calls);
      const hit = points(calls, phaseOf, 8);
      const outcomes: string[] = [];
      const seen = new Set<string>();
      await eachOf([...hit.entries()], async ([index, at]) => {
        const root = copy();
        const call = `${at}: ${calls[at - 1]}`;
        expect(await runStruck(adding(root), at, 'kill'), call).toMatchObject({ signal: 'SIGKILL' });
        seen.add(`${phaseOf(at)} ${calls[at - 1]?.split(' ')[0]}`);
        if (index % 3 === 0) {
          // What was begun is forgotten or finished; the same command again does the rest.
          const again = await run(adding(root));
          expect(again.code, call + told(again)).toBe(0);
          expect(snapshot(root), call).toEqual(newTree);
          return;
        }
        const ending = await run(
          index % 3 === 1 ? slipwayIn(root, 'update', '--no-install') : slipwayIn(root, 'doctor'),
        );
        told(ending);
        const tree = snapshot(root);
        const which = JSON.stringify(tree) === JSON.stringify(newTree) ? 'new' : 'old';
        expect(tree, call).toEqual(which === 'new' ? newTree : oldTree);
        outcomes[at] = which;
      });
      // One decision: old before it, new from there on.
      expect(Object.values(outcomes).join(' ')).toMatch(/^(old )+(new ?)+$/);
      expect(seen).toEqual(new Set(calls.map((call, index) => `${phaseOf(index + 1)} ${call.split(' ')[0]}`)));
      expect([...seen].map((kind) => kind.split(' ')[0])).toEqual(
        expect.arrayContaining(['locking', 'staging', 'deciding', 'placing', 'cleaning']),
      );
      expect(hit.length).toBeGreaterThan(80);
    });

    it.each(['no folder', 'an empty folder', 'a git repository'])(
      'slipway new into %s, killed at calls of every kind; the same command again lays the service down',
      async (kind) => {
        const make = (): Command => {
          const parent = scratchFolder('memory');
          if (kind !== 'no folder') mkdirSync(path.join(parent, 'orders'));
          if (kind === 'a git repository') mkdirSync(path.join(parent, 'orders', '.git'));
          return slipwayIn(parent, 'new', 'orders', '--yes', '--no-install', '--no-git', '--preset=minimal');
        };
        const whole = make();
        const calls = await fsCalls(whole);
        const wholeTree = snapshot(whole.cwd ?? '');
        const phaseOf = kind === 'no folder' ? () => '' : phasesOfCommit(calls);
        const hit = points(calls, phaseOf, kind === 'no folder' ? 8 : 3);
        await eachOf(hit, async (at) => {
          const command = make();
          const parent = command.cwd ?? '';
          const call = `${at}: ${calls[at - 1]}`;
          expect(await runStruck(command, at, 'kill'), call).toMatchObject({ signal: 'SIGKILL' });
          const again = await run(command);
          if (again.code !== 0) {
            // It was decided already: what is left is a service, which any command in it completes.
            expect(told(again), call).toContain('is a service already');
            told(await run(slipwayIn(path.join(parent, 'orders'), 'doctor')));
          }
          expect(snapshot(parent), call).toEqual(wholeTree);
          expect(existsSync(path.join(parent, 'orders', 'slipway.json'))).toBe(true);
        });
        expect(hit.length).toBeGreaterThan(20);
      },
    );
  },
);
