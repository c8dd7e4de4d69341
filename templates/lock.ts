/**
 * Updates all versions of this repository and of the generated services in one step: both package.json files, then
 * all lockfiles. Nothing is written unless npm, pnpm and Yarn accept the result. Run with `npm run lock`. `npm run
 * lock -- --keep` keeps the versions and only adds new packages of a package.json.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { compareVersions } from 'compare-versions';
import { execa } from 'execa';
import { readJson } from './build.ts';
import { packageManagers } from './catalogue.ts';

const root = path.dirname(import.meta.dirname);
const packs = ['package.json', 'templates/package.json'];
const locks = ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock'];

/** The packages of npm's lockfile: place → package. */
interface Locked extends Partial<Record<(typeof groups)[number], Record<string, string>>> {
  readonly name?: string;
  readonly version?: string;
  readonly os?: unknown;
  readonly cpu?: unknown;
}
type Packages = Record<string, Locked>;
const groups = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

async function refresh(keep: boolean): Promise<void> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-lock-'));
  const alone = path.join(scratch, 'alone');
  const run = (name: string, program: string, ...args: string[]) =>
    execa('npx', ['--yes', `--package=${name}`, program, ...args], { cwd: alone, stdio: 'inherit' });
  const runPnpm = (...args: string[]) => run(`pnpm@${packageManagers.pnpm}`, 'pnpm', ...args);
  const yarn = `@yarnpkg/cli-dist@${packageManagers.yarn}`;
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
    const { packages } = await readJson<{ packages: Packages }>(path.join(alone, 'package-lock.json'));
    const yarnLock = path.join(alone, 'yarn.lock');
    await writeFile(yarnLock, yarnLockOf(packages));
    await run(yarn, 'yarn', 'install', '--mode=update-lockfile');
    await writeFile(yarnLock, withConditions(await readFile(yarnLock, 'utf8'), packages));
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

/**
 * Returns an older lockfile of Yarn that resolves each dependency as npm's lockfile does. Yarn keeps the versions of an older lockfile
 * and asks the registry for the rest.
 */
function yarnLockOf(packages: Packages): string {
  const entries = new Map<string, { name: string; version: string }>();
  for (const [place, needing] of Object.entries(packages)) {
    for (const [name, range] of groups.flatMap((group) => Object.entries(needing[group] ?? {}))) {
      const found = resolved(packages, place, name);
      if (found?.version === undefined) continue;
      const descriptor = `${name}@npm:${range.replace(/^npm:/, '')}`;
      // npm may resolve a range to several versions. Yarn resolves it to one.
      const other = entries.get(descriptor)?.version ?? found.version;
      if (compareVersions(found.version, other) < 0) continue;
      entries.set(descriptor, { name: found.name ?? name, version: found.version });
    }
  }
  const printed = [...entries].map(
    ([descriptor, { name, version }]) =>
      `"${descriptor}":\n  version: ${version}\n  resolution: "${name}@npm:${version}"\n  languageName: node\n  linkType: hard\n`,
  );
  return ['__metadata:\n  version: 8\n', ...printed].join('\n');
}

/**
 * Adds the platforms of packages. npm accepts a text or a list, and Yarn reads a list only. The packages of Node have a text, so Yarn
 * would install the Node of each platform. Yarn keeps no checksum of a package that some platforms lack.
 */
function withConditions(yarnLock: string, packages: Packages): string {
  return Object.entries(packages).reduce((text, [place, { os: system, cpu }]) => {
    if (typeof system !== 'string' || typeof cpu !== 'string') return text;
    const name = place.replace(/^.*node_modules\//, '');
    const entry = new RegExp(`^( {2}resolution: "${name}@npm:.*"\\n {2}bin:\\n {4}.*\\n) {2}checksum: .*\\n`, 'm');
    return text.replace(entry, `$1  conditions: os=${system} & cpu=${cpu}\n`);
  }, yarnLock);
}

/** Finds a package as Node does: in the folder itself, then in each folder above it. */
function resolved(packages: Packages, from: string, name: string): Packages[string] | undefined {
  const found = packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`];
  if (found !== undefined || from === '') return found;
  return resolved(packages, from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1)), name);
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
