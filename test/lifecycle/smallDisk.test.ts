import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bundle } from '../helpers/bundle.ts';
import { bundled, layDown } from '../helpers/cli.ts';
import { scratchFolder } from '../helpers/scratch.ts';

const script = await bundle(fileURLToPath(new URL('children/smallDisk.ts', import.meta.url)));

/** A mount namespace of its own: nothing is mounted for anybody else, and nothing stays mounted. */
const unshare = process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--mount', '--map-root-user'];

function inNamespace(args: readonly string[]): SpawnSyncReturns<string> {
  const [command = '', ...rest] = [...unshare, ...args];
  return spawnSync(command, rest, { encoding: 'utf8', timeout: 120_000, maxBuffer: 256 * 2 ** 20 });
}

const canMount = inNamespace(['sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0;

// Where CI says so, a machine that cannot mount is an error, not a reason to skip.
describe.skipIf(!canMount && process.env['CI'] !== 'true')(
  'law 6 on a small full disk (needs the right to mount)',
  { timeout: 240_000 },
  () => {
    it.each(['add', 'new'])(
      'slipway %s that does not fit changes nothing, and works once there is space',
      (scenario) => {
        const service = layDown(scratchFolder('memory'), '--ci=github');
        const { status, stdout, stderr } = inNamespace([
          process.execPath,
          script,
          scratchFolder(),
          service,
          bundled(),
          scenario,
        ]);
        expect(stderr).toBe('');
        expect(status).toBe(0);
        const attempts = JSON.parse(stdout);
        const whole = attempts.at(-1);
        expect(whole.first.code).toBe(0);
        // It has failed with the disk full at many steps on the way.
        expect(attempts.length).toBeGreaterThan(6);
        for (const { free, first, isUntouched, again, tree } of attempts.slice(0, -1)) {
          expect(first, `${free} pages free`).toMatchObject({
            code: 1,
            told: expect.stringContaining('the disk is full'),
          });
          expect(first.told).not.toMatch(/\n {4}at |a fault of Slipway/);
          expect(isUntouched, `${free} pages free: ${first.told}`).toBe(true);
          expect(again.code, again.told).toBe(0);
          expect(tree).toEqual(whole.tree);
        }
      },
    );
  },
);
