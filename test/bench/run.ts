/**
 * Measures what the documents claim, in one run, as ratios, and writes `docs/performance.md`. `npm run bench`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { newManifest } from '../../generators/engine/manifest.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { prepare } from '../../generators/engine/reconcile/prepare.ts';
import { render } from '../../generators/engine/render.ts';
import { openService } from '../../generators/io/service.ts';
import { createTree } from '../../generators/io/freshTree.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { tinyCatalogue, text } from '../helpers/tinyCatalogue.ts';
import { footprint } from './footprint.ts';
import { grpcThroughput } from './grpc.ts';
import type { Served } from './registry.ts';
import { compare, runProgram, type Sample } from './sample.ts';
import { throughput } from './throughput.ts';

const root = path.resolve(import.meta.dirname, '../..');
const createVite = '9.3.0';
const scratch = mkdtempSync(path.join(os.tmpdir(), 'slipway-bench-'));
// A user's shell finds the host's Node, not the one this repository pins for its own tools.
const hostPath = (process.env['PATH'] ?? '')
  .split(path.delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(path.delimiter);
/** Of the repository's own Node: services need one as new as this. */
const newNode = path.dirname(process.execPath);
const env = { PATH: hostPath, npm_config_update_notifier: 'false' };

try {
  const peers = path.join(root, '.cache', 'bench');
  mkdirSync(peers, { recursive: true });
  writeFileSync(path.join(peers, 'package.json'), '{ "private": true }');
  runProgram(['npm', 'install', '--no-audit', '--no-fund', `create-vite@${createVite}`], peers);
  runProgram(['npm', 'pack', '--silent', '--pack-destination', scratch], root);
  runProgram(['npm', 'pack', '--silent', '--pack-destination', scratch, `create-vite@${createVite}`], peers);
  const ours = installTarball();
  const vite = path.join(peers, 'node_modules/create-vite/index.js');
  const tables = [
    scaffold(ours, vite, scratch, 'on disk'),
    ...inMemory((folder) => scaffold(ours, vite, folder, 'in memory, where the disk has no say')),
    await coldNpx(),
    ...(await throughput(ours, peers)),
    ...(await grpcThroughput(ours, peers)),
    ...(await engine()),
    await footprint(scratch, ours, { ...env, PATH: [newNode, hostPath].join(path.delimiter) }),
  ];
  writeFileSync(path.join(root, 'docs', 'performance.md'), document(tables));
  process.stdout.write(`${tables.join('\n\n')}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Installs the packed tarball into an empty folder: what it brings along shows. */
function installTarball(): string {
  const folder = path.join(scratch, 'installed');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  runProgram(['npm', 'install', '--no-audit', '--no-fund', tarballOf('create-slipway')], folder);
  const packages = readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  if (packages.length !== 1) throw new Error(`the tarball brings ${packages.join(', ')}`);
  return path.join(folder, 'node_modules/create-slipway/dist/create-slipway.cjs');
}

function tarballOf(name: string): string {
  const file = readdirSync(scratch).find((entry) => entry.startsWith(`${name}-`) && entry.endsWith('.tgz'));
  if (file === undefined) throw new Error(`npm pack gave no tarball of ${name}`);
  return path.join(scratch, file);
}

/** Measures in a file system in memory, where there is one. */
function inMemory(measure: (folder: string) => string): string[] {
  if (!existsSync('/dev/shm')) return [];
  const folder = mkdtempSync('/dev/shm/slipway-bench-');
  try {
    return [measure(folder)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Each run gets a folder of its own: what is deleted between runs would still keep the disk busy during the next.
 * @param where what the folders are in
 */
function scaffold(slipway: string, vite: string, where: string, medium: string): string {
  let runs = 0;
  const folder = (): string => `run-${(runs += 1)}`;
  const flags = ['--name', 'orders', '--yes', '--no-install', '--no-git'];
  const samples = compare(
    [
      {
        name: 'create-vite, vanilla-ts',
        run: () => runProgram(['node', vite, folder(), '--template', 'vanilla-ts', '--no-interactive'], where, env),
      },
      { name: 'create-slipway', run: () => runProgram(['node', slipway, folder(), ...flags], where, env) },
      {
        name: 'create-slipway, preset database',
        run: () => runProgram(['node', slipway, folder(), '--preset', 'database', ...flags], where, env),
      },
      { name: 'node -e 0', run: () => runProgram(['node', '-e', '0'], scratch, env) },
    ],
    21,
  );
  return table(
    `Laying down a service ${medium}: \`--yes --no-install --no-git\`, wall time of the whole process`,
    samples,
    'create-vite',
  );
}

/** Both packages from one registry on this machine, npm's cache empty before each run. */
async function coldNpx(): Promise<string> {
  const packages: Served[] = [
    { name: 'create-vite', version: createVite, bin: { 'create-vite': 'index.js' }, tarball: tarballOf('create-vite') },
    {
      name: 'create-slipway',
      version: '0.1.0',
      bin: { 'create-slipway': 'dist/create-slipway.cjs', slipway: 'dist/slipway.cjs' },
      tarball: tarballOf('create-slipway'),
    },
  ];
  const registry = spawn(process.execPath, [path.join(import.meta.dirname, 'registry.ts'), JSON.stringify(packages)]);
  const [port] = await once(registry.stdout, 'data');
  const cache = path.join(scratch, 'npm-cache');
  const target = path.join(scratch, 'target');
  const before = (): void => [cache, target].forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  const npx = (name: string, ...args: string[]) => ({
    name,
    before,
    run: () =>
      runProgram(['npx', '--yes', `${name}@latest`, 'target', ...args], scratch, {
        ...env,
        npm_config_registry: `http://127.0.0.1:${String(port).trim()}`,
        npm_config_cache: cache,
      }),
  });
  const samples = compare(
    [
      npx('create-vite', '--template', 'vanilla-ts', '--no-interactive'),
      npx('create-slipway', '--name', 'orders', '--yes', '--no-install', '--no-git'),
    ],
    9,
  );
  registry.kill();
  return table(
    'Cold `npx`: fetched, unpacked and run, from a registry on this machine, with npm’s cache empty',
    samples,
    'create-vite',
  );
}

/** The engine alone, in this process. */
async function engine(): Promise<string[]> {
  const catalogue = await buildCatalogue();
  const everything = newManifest({ name: 'orders', modules: Object.keys(catalogue.modules) }, catalogue);
  const rendered = compare(
    [
      {
        name: `render of everything (${render(everything, catalogue).size} files)`,
        run: () => void render(everything, catalogue),
      },
    ],
    31,
  );
  const planned = [500, 1000, 2000, 4000].map((files) => planCandidate(files));
  return [
    table('`render` with every module', rendered),
    table(
      '`plan` of a service on disk, files read and hashed, a tenth of them edited',
      compare(planned, 9),
      'plan of 500 files',
    ),
  ];
}

function planCandidate(count: number) {
  const lines = Array.from({ length: 60 }, (_, line) => `export const value${line} = ${line};\n`).join('');
  const contents = Array.from(
    { length: count },
    (_, index) => [`internal/part${index % 40}/file${index}.ts`, `// ${index}\n${lines}`] as const,
  );
  const { base } = tinyCatalogue();
  const withFiles = (version: string, end: string) =>
    tinyCatalogue({
      version,
      base: { ...base, files: [...base.files, ...contents.map(([name, content]) => text(name, content + end))] },
    });
  const catalogue = withFiles('1.0.0', '');
  const newer = withFiles('1.1.0', '// newer\n');
  const folder = path.join(scratch, `plan-${count}`);
  const manifest = newManifest({ name: 'orders' }, catalogue);
  const { changes } = prepare(openService(folder), { catalogue, conflict: 'stop', merge, edit: () => manifest });
  createTree(
    folder,
    changes.flatMap((change) =>
      'write' in change ? [{ path: change.path, bytes: change.write, mode: change.mode }] : [],
    ),
  );
  for (const [name, content] of contents.filter((_, index) => index % 10 === 0)) {
    writeFileSync(path.join(folder, name), `// mine\n${content}`);
  }
  return {
    name: `plan of ${count} files`,
    run: () =>
      void prepare(openService(folder), {
        catalogue: newer,
        conflict: 'stop',
        merge,
        edit: () => ({ ...manifest, catalogue: '1.1.0' }),
      }),
  };
}

function table(title: string, samples: readonly Sample[], reference?: string): string {
  const base = samples.find(({ name }) => reference !== undefined && name.startsWith(reference));
  const ratio = (sample: Sample): string => (base === undefined ? '' : (sample.median / base.median).toFixed(2));
  const rows = samples.map(
    (sample) =>
      `| ${sample.name} | ${sample.median.toFixed(1)} | ${sample.least.toFixed(1)}–${sample.most.toFixed(1)} | ${ratio(sample)} |`,
  );
  return [`## ${title}`, '', '| what | median, ms | range, ms | ratio |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function document(tables: readonly string[]): string {
  const cpu = os.cpus();
  const machine = `${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${os.platform()}, Node of the host for whole processes, Node ${process.version} for the engine`;
  return [
    '# Performance',
    'Written by `npm run bench`: everything in one run, candidates in turn (A B A B …), medians; ratios are what counts.',
    `Machine: ${machine}.`,
    'ext4 makes new files slowly where many were deleted within the last five minutes: what the disk says right after a run of the tests says little.',
    ...tables,
  ]
    .join('\n\n')
    .concat('\n');
}
