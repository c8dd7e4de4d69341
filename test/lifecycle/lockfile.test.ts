import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../generators/engine/model.ts';
import { printCatalogue } from '../../generators/engine/catalogueText.ts';
import { integrityOf, type Served } from '../bench/registry.ts';
import { slipway } from '../helpers/cli.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { tinyCatalogue } from '../helpers/tinyCatalogue.ts';

const registry = path.resolve(import.meta.dirname, '../bench/registry.ts');

/** Packs a package that holds nothing but what it depends on. */
function packed(folder: string, name: string, version: string, dependencies: Record<string, string> = {}): Served {
  const source = path.join(folder, `${name}-${version}`);
  mkdirSync(source);
  writeFileSync(path.join(source, 'package.json'), JSON.stringify({ name, version, dependencies }));
  const { status, stderr } = spawnSync('npm', ['pack', '--pack-destination', folder], {
    cwd: source,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return { name, version, dependencies, tarball: path.join(folder, `${name}-${version}.tgz`) };
}

/** A registry on this machine. */
async function serve(packages: readonly Served[]): Promise<Disposable & { readonly address: string }> {
  const child = spawn(process.execPath, [registry, JSON.stringify(packages)]);
  const [port] = await once(child.stdout, 'data');
  return { address: `http://127.0.0.1:${String(port).trim()}`, [Symbol.dispose]: () => void child.kill() };
}

describe('a dependency of a dependency whose newest release is broken', () => {
  it('does not disturb a new service: what was tested is what is installed', async () => {
    const folder = scratchFolder();
    const [fastify, vitest, tested] = [
      packed(folder, 'fastify', '5.1.0', { deep: '^1.0.0' }),
      packed(folder, 'vitest', '5.1.0'),
      packed(folder, 'deep', '1.0.0'),
    ];
    const broken = packed(folder, 'deep', '1.1.0', { 'is-not-there': '1.0.0' });
    using server = await serve([fastify, vitest, tested, broken]);
    const env = { npm_config_registry: server.address, npm_config_cache: path.join(folder, 'cache') };
    const create = (name: string, catalogue: Catalogue) => {
      const file = path.join(folder, `${name}.jsonl`);
      writeFileSync(file, printCatalogue(catalogue));
      const args = [name, '--yes', '--preset=plain', '--no-git', '--catalogue', file];
      return slipway(args, { program: 'create-slipway', cwd: folder, env });
    };

    const { lockfiles: _none, ...bare } = tinyCatalogue();
    expect(create('unlocked', bare)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('E404') });

    const entries = [fastify, vitest, tested].map(({ name, version, dependencies, tarball }) => [
      `node_modules/${name}`,
      { version, integrity: integrityOf(readFileSync(tarball)), dependencies },
    ]);
    const locked = create('locked', { ...bare, lockfiles: { npm: Object.fromEntries(entries), pnpm: '', yarn: '' } });
    expect(locked, locked.stderr).toMatchObject({ exitCode: 0 });
    const at = (file: string) => path.join(folder, 'locked', file);
    const lockfile = readFileSync(at('package-lock.json'), 'utf8');
    expect(JSON.parse(readFileSync(at('node_modules/deep/package.json'), 'utf8')).version).toBe('1.0.0');
    const ci = spawnSync('npm', ['ci'], { cwd: at('.'), env: { ...process.env, ...env }, encoding: 'utf8' });
    expect(ci.status, ci.stderr).toBe(0);
    expect(readFileSync(at('package-lock.json'), 'utf8')).toBe(lockfile);
    expect(existsSync(at('node_modules/is-not-there'))).toBe(false);
  });
});
