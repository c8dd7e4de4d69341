import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runProgram } from './sample.ts';
import type { Candidate } from './services.ts';

/** What several measurements need; each part is made when it is first asked for. */
export interface Workspace extends Disposable {
  /** A folder that goes when the run ends. */
  readonly scratch: string;
  /** A folder that stays for the next run. */
  readonly cache: string;
  /** A user's shell: it finds the host's Node, not the one that this repository pins for its own tools. */
  readonly hostEnv: NodeJS.ProcessEnv;
  /** The same with a Node that is new enough for services. */
  readonly serviceEnv: NodeJS.ProcessEnv;
  /** @returns the tarball of this package, as npm packs it */
  readonly tarball: () => string;
  /** @returns our executable, installed from its tarball */
  readonly slipway: () => string;
  /** @returns create-vite's executable, and its tarball */
  readonly vite: () => Packed;
  /** @returns the folder of a service, laid down, installed and built */
  readonly service: (candidate: Candidate) => string;
}

/** A package from the registry. */
export interface Packed {
  readonly version: string;
  readonly executable: string;
  readonly tarball: string;
}

const root = path.resolve(import.meta.dirname, '../..');
const createVite = '9.3.0';

/** @returns a workspace, in which nothing is made yet */
export function openWorkspace(): Workspace {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'slipway-bench-'));
  const cache = path.join(root, '.cache', 'bench');
  mkdirSync(cache, { recursive: true });
  const hostPath = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(path.delimiter);
  const newNode = path.dirname(process.execPath);
  const hostEnv = { PATH: hostPath, npm_config_update_notifier: 'false' };
  const serviceEnv = { ...hostEnv, PATH: [newNode, hostPath].join(path.delimiter) };

  const tarball = lazy(() => pack('create-slipway', root, scratch));
  const slipway = lazy(() => installTarball(tarball(), path.join(scratch, 'installed')));
  const laidDown = new Map<Candidate, string>();
  return {
    scratch,
    cache,
    hostEnv,
    serviceEnv,
    tarball,
    slipway,
    vite: lazy(() => fetchVite(cache, scratch)),
    service(candidate) {
      const folder =
        laidDown.get(candidate) ?? layDown(candidate, slipway, path.join(scratch, `${laidDown.size}`), serviceEnv);
      laidDown.set(candidate, folder);
      return folder;
    },
    [Symbol.dispose]: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** @param what a name, or what npm takes for one, beside the folder that it is run in */
function pack(name: string, cwd: string, scratch: string, ...what: string[]): string {
  runProgram(['npm', 'pack', '--silent', '--pack-destination', scratch, ...what], cwd);
  const file = readdirSync(scratch).find((entry) => entry.startsWith(`${name}-`) && entry.endsWith('.tgz'));
  if (file === undefined) throw new Error(`npm pack gave no tarball of ${name}`);
  return path.join(scratch, file);
}

/** Installs the packed tarball into an empty folder: what it brings along shows. */
function installTarball(tarball: string, folder: string): string {
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  runProgram(['npm', 'install', '--no-audit', '--no-fund', tarball], folder);
  const packages = readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  if (packages.length !== 1) throw new Error(`the tarball brings ${packages.join(', ')}`);
  return path.join(folder, 'node_modules/create-slipway/dist/create-slipway.cjs');
}

function fetchVite(cache: string, scratch: string): Packed {
  const name = `create-vite@${createVite}`;
  writeFileSync(path.join(cache, 'package.json'), '{ "private": true }');
  runProgram(['npm', 'install', '--no-audit', '--no-fund', name], cache);
  return {
    version: createVite,
    executable: path.join(cache, 'node_modules/create-vite/index.js'),
    tarball: pack('create-vite', cache, scratch, name),
  };
}

function layDown(candidate: Candidate, slipway: () => string, folder: string, env: NodeJS.ProcessEnv): string {
  mkdirSync(folder);
  runProgram(candidate.generate(slipway), folder, env);
  const service = path.join(folder, 'orders');
  runProgram(['npm', 'install', '--no-audit', '--no-fund'], service, env);
  if (candidate.build !== undefined) runProgram(candidate.build, service, env);
  return service;
}
