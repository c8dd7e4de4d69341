import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import type { Measurement } from './measurement.ts';
import type { Served } from './registry.ts';
import { compare, runProgram } from './sample.ts';
import { timeTable } from './table.ts';

/** Both packages from one registry on this machine, npm's cache empty before each run. */
export const npx: Measurement = {
  title: 'Cold `npx`: fetched, unpacked and run, from a registry on this machine, with npm’s cache empty',
  async measure({ scratch, hostEnv, tarball, vite }) {
    const { version, tarball: viteTarball } = vite();
    const packages: Served[] = [
      { name: 'create-vite', version, bin: { 'create-vite': 'index.js' }, tarball: viteTarball },
      { name: manifest.name, version: manifest.version, bin: manifest.bin, tarball: tarball() },
    ];
    const registry = spawn(process.execPath, [path.join(import.meta.dirname, 'registry.ts'), JSON.stringify(packages)]);
    const [port] = await once(registry.stdout, 'data');
    const cache = path.join(scratch, 'npm-cache');
    const target = path.join(scratch, 'target');
    const before = (): void => [cache, target].forEach((folder) => rmSync(folder, { recursive: true, force: true }));
    const candidate = (name: string, ...args: string[]) => ({
      name,
      before,
      run: () =>
        void runProgram(['npx', '--yes', `${name}@latest`, 'target', ...args], scratch, {
          ...hostEnv,
          npm_config_registry: `http://127.0.0.1:${String(port).trim()}`,
          npm_config_cache: cache,
        }),
    });
    try {
      const samples = compare(
        [
          candidate('create-vite', '--template', 'vanilla-ts', '--no-interactive'),
          candidate('create-slipway', '--name', 'orders', '--yes', '--no-install', '--no-git'),
        ],
        9,
      );
      return timeTable(samples, 'create-vite');
    } finally {
      registry.kill();
    }
  },
};
