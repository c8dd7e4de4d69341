// Runs in a mount namespace of its own, see ../smallDisk.test.ts: node smallDisk.ts <empty folder> <service> <slipway.cjs>
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { copySync } from 'fs-extra/esm';
import { snapshot } from '../../helpers/snapshot.ts';

const [, , disk = '', template = '', script = '', scenario = ''] = process.argv;
const root = path.join(disk, 'orders');
const ballast = path.join(disk, 'ballast');

interface Outcome {
  readonly code: number | null;
  readonly told: string;
}

/** One command, first with so many pages (4 kB) free, then with space again. */
interface Attempt {
  readonly free: number;
  readonly first: Outcome;
  readonly isUntouched: boolean;
  readonly again: Outcome;
  readonly tree: Record<string, string>;
}

function slipway(...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args, '--no-install'], {
    cwd: args[0] === 'new' ? disk : root,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return { code: status, told: stdout + stderr };
}

function attempt(free: number, ...args: string[]): Attempt {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
  if (args[0] === 'new') mkdirSync(root);
  else copySync(template, root);
  const { bsize, bfree } = statfsSync(disk);
  writeFileSync(ballast, Buffer.alloc((bfree - free) * bsize));
  const before = JSON.stringify(snapshot(root));
  const first = slipway(...args);
  const isUntouched = JSON.stringify(snapshot(root)) === before;
  rmSync(ballast);
  const again = first.code === 0 ? first : slipway(...args);
  const tree = snapshot(root);
  execFileSync('umount', [disk]);
  return { free, first, isUntouched, again, tree };
}

/** With ever more space, until it fits. */
function attempts(step: number, ...args: string[]): Attempt[] {
  const all: Attempt[] = [];
  for (let free = 0; all.at(-1)?.first.code !== 0 && free < 1000; free += step) all.push(attempt(free, ...args));
  return all;
}

const played =
  scenario === 'add' ? attempts(14, 'add', 'postgres') : attempts(40, 'new', 'orders', '--yes', '--no-git');
process.stdout.write(JSON.stringify(played));
