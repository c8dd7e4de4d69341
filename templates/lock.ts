/**
 * Updates all versions of this repository and of the generated services in one step: both package.json files, then
 * the three lockfiles. Nothing is written unless npm and pnpm accept the result. Run with `npm run lock`. `npm run
 * lock -- --keep` keeps the versions and only adds new packages of a package.json.
 */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { compareVersions } from 'compare-versions';
import { execa } from 'execa';
import { readJson } from './build.ts';
import { pnpm } from './catalogue.ts';

const root = path.dirname(import.meta.dirname);
const packs = ['package.json', 'templates/package.json'];
const locks = ['package-lock.json', 'pnpm-lock.yaml'];

async function refresh(keep: boolean): Promise<void> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-lock-'));
  const alone = path.join(scratch, 'alone');
  const runPnpm = (...args: string[]) =>
    execa('npx', ['--yes', `pnpm@${pnpm}`, ...args], { cwd: alone, stdio: 'inherit' });
  try {
    await mkdir(path.join(scratch, 'templates'));
    await mkdir(alone);
    await copy(root, scratch, ['.npmrc', ...packs, ...(keep ? ['package-lock.json'] : [])]);
    if (!keep) for (const file of packs) await raise(path.join(scratch, file));
    await npm(scratch, 'install', '--package-lock-only');

    // The lockfile of the templates alone starts from the versions with which this repository runs their tests.
    await copy(scratch, alone, ['.npmrc']);
    await copy(path.join(scratch, 'templates'), alone, ['package.json']);
    await writeFile(path.join(alone, 'package-lock.json'), await lockOfTemplates(scratch));
    await npm(alone, 'install', '--package-lock-only');
    await runPnpm('import');
    await npm(alone, 'ci', '--dry-run');
    await runPnpm('install', '--frozen-lockfile', '--lockfile-only');

    await copy(alone, path.join(root, 'templates'), locks);
    await copy(scratch, root, [...packs, 'package-lock.json']);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function npm(cwd: string, ...args: string[]): Promise<void> {
  await execa('npm', [...args, '--ignore-scripts', '--no-audit'], { cwd, stdio: 'inherit' });
}

async function copy(from: string, to: string, files: readonly string[]): Promise<void> {
  for (const file of files) await copyFile(path.join(from, file), path.join(to, file));
}

/**
 * Returns the lockfile of the templates alone. The templates' own versions override those that npm hoisted for the
 * tools of this repository.
 */
async function lockOfTemplates(folder: string): Promise<string> {
  const lock = await readJson<{ packages: Record<string, { link?: boolean }> }>(path.join(folder, 'package-lock.json'));
  const within = (prefix: string) =>
    Object.entries(lock.packages)
      .filter(([place, { link }]) => place.startsWith(`${prefix}node_modules/`) && link !== true)
      .map(([place, entry]) => [place.slice(prefix.length), entry] as const);
  const packages = Object.fromEntries([['', lock.packages['templates']], ...within(''), ...within('templates/')]);
  return JSON.stringify({ lockfileVersion: 3, requires: true, packages });
}

/** Raises each version within its major version, or within its range when the range is narrower. */
async function raise(file: string): Promise<void> {
  const pack = await readJson<Record<string, Record<string, string>>>(file);
  for (const group of ['dependencies', 'devDependencies']) {
    const versions = pack[group] ?? {};
    for (const [name, range] of Object.entries(versions)) versions[name] = await raised(range, [name]);
  }
  // Node has one package for each platform, and all of them need one version.
  const platforms = Object.keys(pack['optionalDependencies'] ?? {});
  const [present] = Object.values(pack['optionalDependencies'] ?? {});
  if (present !== undefined) {
    const node = await raised(present, platforms);
    pack['optionalDependencies'] = Object.fromEntries(platforms.map((name) => [name, node]));
  }
  await writeFile(file, `${JSON.stringify(pack, null, 2)}\n`);
}

/** Finds the newest version that all these packages have. */
async function raised(range: string, names: readonly string[]): Promise<string> {
  const operator = /^[~^]?/.exec(range)?.[0] ?? '';
  const within = operator === '' ? `^${range}` : range;
  const found = names.map(async (name) => {
    const { stdout } = await execa('npm', ['view', `${name}@${within}`, 'version', '--json']);
    return [JSON.parse(stdout) as string | string[]].flat();
  });
  const [first = [], ...others] = await Promise.all(found);
  const newest = first
    .filter((version) => others.every((all) => all.includes(version)))
    .sort(compareVersions)
    .at(-1);
  if (newest === undefined) throw new Error(`${names.join(', ')}: no version is within ${within}`);
  return operator + newest;
}

// The files belong to this repository.

await refresh(process.argv.includes('--keep'));
