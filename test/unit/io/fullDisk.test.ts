import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { bundle } from '../../helpers/bundle.ts';
import { scratchFolder } from '../../helpers/scratch.ts';

const script = await bundle(fileURLToPath(new URL('children/fullDisk.ts', import.meta.url)));

/** A mount namespace of its own: nothing is mounted for anybody else, and nothing stays mounted. */
const unshare = process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--mount', '--map-root-user'];

function inNamespace(args: readonly string[]): SpawnSyncReturns<string> {
  const [command = '', ...rest] = [...unshare, ...args];
  return spawnSync(command, rest, { encoding: 'utf8', timeout: 300_000 });
}

const canMount = inNamespace(['sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0;

function play(scenario: string): unknown {
  const { status, stdout, stderr } = inNamespace([process.execPath, script, scratchFolder(), scenario]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

// Where CI says so, a machine that cannot mount is an error, not a reason to skip.
describe.skipIf(!canMount && process.env['CI'] !== 'true')(
  'on a small disk of its own (needs the right to mount)',
  { timeout: 600_000 },
  () => {
    it('a commit that does not fit leaves the old tree and one clear error, and works once there is space', () => {
      const attempts = play('commit');
      if (!Array.isArray(attempts)) throw new TypeError('the scenario gives a list');
      const whole = attempts.at(-1);
      expect(whole.result).toBe('done');
      // Space for the journal, the folders and three contents of five pages: it has failed at every step on the way.
      expect(attempts.length).toBeGreaterThan(12);
      for (const { free, result, before, after, again, finally: end } of attempts.slice(0, -1)) {
        expect(result, `${free} pages free`).toMatch(
          /^1: cannot .+: the disk is full \(free some space and run the command again\)$/,
        );
        expect(after, `${free} pages free`).toEqual(before);
        expect(again).toBe('done');
        expect(end).toEqual(whole.finally);
      }
    });

    it('a new service that does not fit leaves nothing, and works once there is space', () => {
      expect(play('createTree')).toMatchObject({
        result: expect.stringMatching(/^1: cannot create .+, so nothing was written: the disk is full/),
        after: ['ballast'],
        again: 'done',
        finally: expect.arrayContaining(['a.ts', 'new/deep/c.ts', 'new/d.ts']),
      });
    });

    it('a read-only file system is refused before anything is written', () => {
      const played = play('readOnly');
      expect(played).toMatchObject({
        locked: expect.stringMatching(/^1: cannot lock the service with .+: the file system is read-only/),
        bare: expect.stringMatching(/^2: a\.ts is read-only/),
      });
      expect(played).toHaveProperty('after', Object(played).before);
    });

    it('a file on another mount, which no rename reaches, is refused before anything is written', () => {
      const played = play('mounts');
      expect(played).toMatchObject({
        results: ['tmpfs/x.ts', 'bind/x/y.ts', 'b.ts'].map((path) =>
          expect.stringContaining(`2: ${path} lies on another file system than .slipway`),
        ),
        beside: 'done',
      });
      expect(played).toHaveProperty('after', Object(played).before);
    });
  },
);
