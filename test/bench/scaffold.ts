import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { Measurement } from './measurement.ts';
import { compare, runProgram } from './sample.ts';
import { timeTable } from './table.ts';
import type { Workspace } from './workspace.ts';

const memory = '/dev/shm';

/** How long it takes to create a service. */
export const scaffold: Measurement = {
  title: 'Laying down a service: `--yes --no-install --no-git`, wall time of the whole process',
  measure(workspace) {
    const onDisk = ['### On disk', compareIn(workspace.scratch, workspace)];
    if (!existsSync(memory)) return onDisk.join('\n\n');
    const folder = mkdtempSync(`${memory}/slipway-bench-`);
    try {
      return [...onDisk, '### In memory, where the disk has no say', compareIn(folder, workspace)].join('\n\n');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/**
 * Each run gets a folder of its own: what is deleted between runs would still keep the disk busy during the next.
 * @param where what the folders are in
 */
function compareIn(where: string, { slipway, vite, hostEnv }: Workspace): string {
  let runs = 0;
  const candidate = (name: string, args: (folder: string) => readonly string[]) => ({
    name,
    run: () => void runProgram(['node', ...args(`run-${(runs += 1)}`)], where, hostEnv),
  });
  const flags = ['--name', 'orders', '--yes', '--no-install', '--no-git'];
  const samples = compare(
    [
      candidate('create-vite, vanilla-ts', (folder) => [
        vite().executable,
        folder,
        '--template',
        'vanilla-ts',
        '--no-interactive',
      ]),
      candidate('create-slipway', (folder) => [slipway(), folder, ...flags]),
      candidate('create-slipway, preset database', (folder) => [slipway(), folder, '--preset', 'database', ...flags]),
      candidate('node -e 0', () => ['-e', '0']),
    ],
    21,
  );
  return timeTable(samples, 'create-vite');
}
