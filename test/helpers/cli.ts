import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** What a run of the command line came to. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Run as another user, by id; root only. */
  readonly uid?: number;
}

/**
 * Runs the bundled `slipway`, as it is packed.
 * @param args what is typed after its name
 * @param options where, and in which surroundings
 * @returns exit code and output, without colours
 */
export function slipway(args: readonly string[], { cwd, env = {}, uid }: CliOptions): CliResult {
  const script = path.join(root, 'dist', 'slipway.cjs');
  if (!existsSync(script)) throw new Error('dist/slipway.cjs is not built: npm run build');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    encoding: 'utf8',
    input: '',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { exitCode: status, stdout, stderr };
}

/**
 * Lays down a service quickly: no install, no git.
 * @param parent an existing folder
 * @param args more flags
 * @returns the service's folder
 */
export function layDown(parent: string, ...args: string[]): string {
  const { exitCode, stderr } = slipway(['new', 'orders', '--yes', '--no-install', '--no-git', ...args], {
    cwd: parent,
  });
  if (exitCode !== 0) throw new Error(stderr);
  return path.join(parent, 'orders');
}

/** A folder that is removed when it goes out of scope: `using scratch = scratchFolder()`. */
export function scratchFolder(): Disposable & { readonly path: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-test-'));
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * @param folder any folder
 * @returns path → text and permission bits of every file in it, dependencies left out: what two services are compared by
 */
export function treeOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((file) => [
      path.relative(folder, file),
      `${(statSync(file).mode & 0o777).toString(8)} ${readFileSync(file, 'utf8')}`,
    ]),
  );
}
