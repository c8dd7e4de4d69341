import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa, ExecaError } from 'execa';
import { exitCodes, SlipwayError } from '../engine/errors.ts';
import type { Invocation } from '../invocation.ts';
import { isWithin, realRootOf } from './paths.ts';

/** How to run a program. */
export interface RunOptions {
  /** Its whole environment; default: {@link withoutSecrets}. PATH is always restricted. */
  readonly env?: NodeJS.ProcessEnv;
  /** Time limit (ms); default: none. */
  readonly timeout?: number;
  /** Returns the output byte for byte; default: without the last line end. */
  readonly exact?: true;
  /** Its standard input; default: none. */
  readonly input?: string;
  /** The encoding of the output. `latin1` gives one character for each byte. Default: UTF-8. */
  readonly encoding?: 'latin1';
}

/**
 * Runs a program and waits for its end. The program is searched for in the folders of PATH, but never in folders of
 * the service that it runs in.
 * @param command the program and its arguments; no shell
 * @param cwd the folder to run in
 * @param options its environment, and its time limit
 * @returns its standard output
 * @throws ExecaError when it cannot be started or its exit code is not 0; SlipwayError when it is not installed
 */
export async function runProcess(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  { env = withoutSecrets(process.env), timeout = 0, exact, input, encoding }: RunOptions = {},
): Promise<string> {
  const folders = programFolders(cwd);
  const { stdout } = await execa(located(program, folders), args, {
    cwd,
    env: withPath(env, folders),
    extendEnv: false,
    all: true,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(encoding && { encoding }),
    timeout,
    stripFinalNewline: !exact,
  });
  return stdout;
}

/** Parts of the names of variables that hold secrets. */
const secretName =
  /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|JWT|COOKIE|(?:API|ACCESS|PRIVATE|SIGNING|ENCRYPTION|DEPLOY|ACCOUNT|MASTER)_?KEY|_(?:KEY|PAT|PASS|PWD|DSN|AUTH)$|CONNECTION_?STRING/i;
/** A URL with a password or a key in it: `DATABASE_URL`, for example. */
const secretValue = /:\/\/[^/\s@]+@/;
/** Settings of package managers, with the tokens for their registries, and the way to the registry. */
const ofPackageManagers = /^(?:npm_|pnpm_|yarn_|bun_|node_auth_token$)|_proxy$/i;

/**
 * Takes the secrets out of an environment. A package manager runs the scripts of packages, and a check runs the code of
 * the service: in CI, both would see the secrets of every other step.
 * @param env an environment
 * @returns its variables, without those whose name or value shows that they hold a secret. The settings of package
 * managers stay, and so do the variables that the user's own `.npmrc` names
 */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const named = namedInNpmrc(env);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value = '']) =>
        ofPackageManagers.test(name) || named.has(name) || !(secretName.test(name) || secretValue.test(value)),
    ),
  );
}

/** The variables in the user's own `.npmrc`, such as `GITHUB_TOKEN` in `_authToken=${GITHUB_TOKEN}`. */
function namedInNpmrc(env: NodeJS.ProcessEnv): ReadonlySet<string> {
  const file = env['npm_config_userconfig'] ?? env['NPM_CONFIG_USERCONFIG'] ?? path.join(homedir(), '.npmrc');
  try {
    return new Set(Array.from(readFileSync(file, 'utf8').matchAll(/\$\{([^}?]+)\??\}/g), ([, name = '']) => name));
  } catch {
    return new Set();
  }
}

/**
 * Runs a command line of the user in a shell, with the terminal as its input and output. Ctrl+C is for the command alone.
 * @param line the command line
 * @param cwd the folder to run in
 * @throws ExecaError when it cannot be started or its exit code is not 0
 */
export async function runOnTerminal(line: string, cwd: string): Promise<void> {
  const handlers = process.rawListeners('SIGINT');
  process.removeAllListeners('SIGINT').on('SIGINT', ignore);
  try {
    const env = withPath(withoutSecrets(process.env), programFolders(cwd));
    await execa(line, { cwd, env, extendEnv: false, shell: true, stdio: 'inherit' });
  } finally {
    process.off('SIGINT', ignore);
    for (const handler of handlers) process.on('SIGINT', handler as NodeJS.SignalsListener);
  }
}

/** A handler of a signal, so that the signal does not end the process. */
function ignore(): void {}

function withPath(env: NodeJS.ProcessEnv, folders: readonly string[]): NodeJS.ProcessEnv {
  // Windows accepts PATH in any letter case.
  const others = Object.entries(env).filter(([name]) => name.toUpperCase() !== 'PATH');
  return { ...Object.fromEntries(others), PATH: folders.join(path.delimiter) };
}

/** The folders of PATH, without relative ones and without `node_modules/.bin` of the service, which npm adds first. */
function programFolders(cwd: string): string[] {
  const here = [cwd, process.cwd()].map((folder) => realRootOf(folder));
  return (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => {
    if (!path.isAbsolute(folder)) return false;
    const [owner, modules] = [path.resolve(folder, '../..'), path.basename(path.dirname(folder))];
    return modules !== 'node_modules' || !here.some((place) => isWithin(realRootOf(owner), place));
  });
}

/**
 * Finds a program. The system does not search, because Windows would start with the current folder.
 * @throws SlipwayError when it is in none of the folders
 */
function located(program: string, folders: readonly string[]): string {
  if (path.isAbsolute(program)) return program;
  const endings = process.platform === 'win32' ? (process.env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';') : [''];
  const places = folders.flatMap((folder) => endings.map((ending) => path.join(folder, program + ending)));
  const found = places.find(isProgram);
  if (found !== undefined) return found;
  throw new SlipwayError(exitCodes.failed, `${program} is not on this machine`);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Settings that make a package manager leave packages out. Package managers read them in any letter case. */
const omitting = /^(?:NODE_ENV|npm_config_(?:also|dev|include|omit|only|optional|prod|production))$/i;

/**
 * The environment for package managers. A service is developed where it is installed: without development packages it has no compiler
 * and no tests, and without optional ones no Node of its own. `NODE_ENV=production` and the settings of a user are overridden.
 * @returns the environment of this process without secrets, with settings that ask for all packages
 */
export function completeInstall(): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(withoutSecrets(process.env)).filter(([name]) => !omitting.test(name))),
    // npm separates the values of a list by empty lines, and lets `include` win over `omit`
    // (https://docs.npmjs.com/cli/using-npm/config#include).
    npm_config_include: 'dev\n\noptional\n\npeer',
  };
}

/**
 * Runs a command line. On a terminal it shows a spinner and the elapsed seconds.
 * @param line program and arguments, separated by spaces
 * @param cwd the folder to run in
 * @param what a short description
 * @param invocation says whether there is a terminal
 * @param env its whole environment
 * @returns undefined on success, otherwise the reason in one line
 */
export async function runWithProgress(
  line: string,
  cwd: string,
  what: string,
  { flags }: Invocation,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const stop = flags.quiet || flags.json ? () => {} : await showProgress(what);
  try {
    const [program = '', ...args] = line.split(' ');
    await runProcess([program, ...args], cwd, { env });
    return undefined;
  } catch (error) {
    return explainFailure(error, line);
  } finally {
    stop();
  }
}

/**
 * @param error the error of `runProcess`
 * @param line the command line
 * @returns the reason of the failure, in one line
 */
export function explainFailure(error: unknown, line: string): string {
  const program = line.split(' ')[0] ?? line;
  if (!(error instanceof ExecaError)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'ENOENT') return `${program} is not on this machine`;
  const lines = stripVTControlCharacters(error.all ?? error.stderr ?? '')
    .split('\n')
    .map((text) => text.trim())
    // A passed check may have "error" in its name.
    .filter((text) => text !== '' && !text.startsWith('✓'));
  const find = (pattern: RegExp): string | undefined => lines.find((text) => pattern.test(text));
  const telling = find(/^FAIL\b/) ?? find(/\berror\b|ERR!|ERR_/i) ?? lines.at(-1) ?? 'no output';
  return `\`${line}\` ${error.exitCode === undefined ? 'was ended' : `exited with ${error.exitCode}`}: ${telling.slice(0, 200)}`;
}

/** Shows a spinner on a terminal, otherwise one line. Returns a function that ends it. */
async function showProgress(what: string): Promise<() => void> {
  if (!process.stderr.isTTY) {
    process.stderr.write(`${what} …\n`);
    return () => {};
  }
  const { default: yoctoSpinner } = await import('yocto-spinner');
  const started = Date.now();
  const spinner = yoctoSpinner({ text: what }).start();
  const clock = setInterval(() => {
    spinner.text = `${what} (${Math.round((Date.now() - started) / 1000)} s)`;
  }, 1000);
  return () => {
    clearInterval(clock);
    spinner.stop();
  };
}
