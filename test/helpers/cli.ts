import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** The result of a run of the command line. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Id of another user to run as; root only. */
  readonly uid?: number | undefined;
  /** Path of another Node than the one that runs the tests. */
  readonly node?: string;
  /** The program to run; default: `slipway`. */
  readonly program?: 'slipway' | 'create-slipway';
}

/**
 * @param executable one of the two programs
 * @returns absolute path of the bundled program, as it is packed
 */
export function bundled(executable: 'slipway' | 'create-slipway' = 'slipway'): string {
  const script = path.join(root, 'dist', `${executable}.cjs`);
  if (!existsSync(script)) throw new Error(`dist/${executable}.cjs is not built: npm run build`);
  return script;
}

/** Time limit (ms) of a run, for the slowest machine. A longer run counts as endless. */
const longestRun = 120_000;

/**
 * Runs the bundled `slipway`, as it is packed.
 * @param args the arguments
 * @param options the folder and the environment, among others
 * @returns exit code and output, without colours
 * @throws when it shows a stack trace, because users must never see one
 */
export function slipway(args: readonly string[], options: CliOptions): CliResult {
  const { status, stdout, stderr } = spawnSync(options.node ?? process.execPath, [bundled(options.program), ...args], {
    ...surroundings(options),
    encoding: 'utf8',
    input: '',
    maxBuffer: 64 * 2 ** 20,
    // An endless run is killed, and its exit code is null.
    timeout: longestRun,
    killSignal: 'SIGKILL',
  });
  return withoutStack({ exitCode: status, stdout, stderr });
}

/** A run that has not ended. */
export interface RunningCli {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly result: Promise<CliResult>;
}

/**
 * Starts the bundled `slipway` without waiting for its end.
 * @param args the arguments
 * @param options the folder and the environment, among others
 * @returns a function that sends a signal, and the result
 */
export function startSlipway(args: readonly string[], options: CliOptions): RunningCli {
  const child = spawn(options.node ?? process.execPath, [bundled(), ...args], {
    ...surroundings(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return {
    kill: (signal) => child.kill(signal),
    result: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve(withoutStack({ exitCode, ...output })));
    }),
  };
}

function surroundings({ cwd, env = {}, uid }: CliOptions) {
  return {
    cwd,
    // The package manager that runs the tests has no effect on them.
    env: { ...process.env, npm_config_user_agent: undefined, NO_COLOR: '1', ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  };
}

function withoutStack(result: CliResult): CliResult {
  if (/^ +at .+:\d+/m.test(result.stderr)) throw new Error(`a stack trace was shown:\n${result.stderr}`);
  return result;
}

/**
 * @param program its name
 * @returns the paths of all programs of that name in PATH, in order, without duplicates
 */
export function onPath(program: string): string[] {
  const places = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, program));
  return [...new Set(places.filter(isExecutable).map((place) => realpathSync(place)))];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A Node on this machine that is too old for services but not for the command line; undefined if there is none. */
export const oldNode: string | undefined = onPath('node').find((node) => {
  const [major = 0, minor = 0] = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .stdout.split('.')
    .map(Number);
  return major < 24 && (major > 20 || (major === 20 && minor >= 19));
});

/**
 * Creates a service quickly, without install and git.
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

/**
 * Creates a folder that is removed when it goes out of scope: `using scratch = scratchFolder()`.
 * @param parent the parent folder; a file system in memory may not allow programs to run
 * @returns the empty folder
 */
export function scratchFolder(parent = os.tmpdir()): Disposable & { readonly path: string } {
  const folder = realpathSync(mkdtempSync(path.join(parent, 'slipway-test-')));
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * @param folder any folder
 * @returns path → text and permission bits of every file in it, without dependencies; used to compare two services
 */
export function treeOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.parentPath.includes('node_modules'))
    .map((entry) => [path.relative(folder, path.join(entry.parentPath, entry.name)), entry] as const)
    .sort(([some], [other]) => (some < other ? -1 : 1));
  return Object.fromEntries(
    files.map(([name, entry]) => {
      const file = path.join(folder, name);
      if (entry.isSymbolicLink()) return [name, `link to ${readlinkSync(file)}`];
      const content = entry.isFile() ? readFileSync(file, 'utf8') : 'neither file nor folder';
      return [name, `${(statSync(file).mode & 0o777).toString(8)} ${content}`];
    }),
  );
}
