import { ExecaError } from 'execa';
import { badInput, SlipwayError } from '../engine/errors.ts';
import { explainFailure, type RunOptions, runProcess } from './process.ts';

/**
 * Settings that override those of the repository, which may come from a stranger. Git must not run a program that the
 * repository names, and must not treat a folder with the files of a repository as a bare repository.
 */
const settings = [
  'safe.bareRepository=explicit',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.sshCommand=false',
  'core.gitProxy=false',
  'credential.helper=',
  'diff.external=',
  'protocol.allow=never',
  'submodule.recurse=false',
].flatMap((setting) => ['-c', setting]);

/** What git and the programs of the user's own configuration need: folders, language, and the agent that signs a commit. */
const needed =
  /^(?:HOME|HOMEDRIVE|HOMEPATH|USERPROFILE|USER|USERNAME|LOGNAME|EMAIL|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|TMP|TEMP|XDG_\w+|LD_LIBRARY_PATH|DYLD_\w+|NIX_\w+|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|ALLUSERSPROFILE|PROGRAMDATA|PROGRAMFILES.*|MSYSTEM|GNUPGHOME|GPG_TTY|SSH_AUTH_SOCK|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS)$/i;

/** Git's environment variables that are kept: the author, the user's own configuration, and how far git looks for a repository. */
const kept =
  /^GIT_(?:(?:AUTHOR|COMMITTER)_|CONFIG|CEILING_DIRECTORIES$|DISCOVERY_ACROSS_FILESYSTEM$|EXEC_PATH$|TEMPLATE_DIR$)/i;

/** Time limit (ms) for a lookup. The files of the repository may be anything, even a pipe. */
const lookup = { timeout: 120_000 };

/**
 * Calls git. All calls go through this function.
 * @param args its arguments
 * @param folder the folder to run in
 * @param options the time limit, among others
 * @returns its standard output; warnings and traces go to standard error and are ignored
 * @throws ExecaError or SlipwayError when git fails or is not installed
 */
function git(args: readonly string[], folder: string, options: Omit<RunOptions, 'env'> = {}): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => needed.test(name) || kept.test(name));
  const env = {
    ...Object.fromEntries(own),
    LC_ALL: 'C',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PAGER: 'cat',
    GIT_TERMINAL_PROMPT: '0',
  };
  return runProcess(['git', '--no-pager', ...settings, ...args], folder, { env, ...options });
}

/**
 * @param folder an existing folder
 * @returns git's version
 * @throws Error when git is not installed
 */
export function gitVersion(folder: string): Promise<string> {
  return git(['--version'], folder, lookup);
}

/**
 * @param folder an existing folder
 * @returns whether it belongs to a git repository; false when git is not installed
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function isInRepository(folder: string): Promise<boolean> {
  return (await ask(['rev-parse', '--show-toplevel'], folder)) !== undefined;
}

/**
 * @param folder an existing folder
 * @returns the path of the folder from the root of its git repository, with `/`; empty for the root itself; undefined without git or a
 * repository, and when git refuses to answer
 */
export async function placeInRepository(folder: string): Promise<string | undefined> {
  return (await outputOf(folder, ['rev-parse', '--show-prefix']))?.replace(/\/?\n$/, '');
}

/**
 * @param folder a folder inside a repository
 * @returns files with conflicts of a git merge, relative to the folder; empty without a repository
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function unmergedFiles(folder: string): Promise<string[]> {
  // Reads the index only, because a diff would run the filters that the repository names.
  const records = (await ask(['ls-files', '--unmerged', '-z'], folder))?.split('\0') ?? [];
  return [
    ...new Set(records.filter((record) => record !== '').map((record) => record.slice(record.indexOf('\t') + 1))),
  ];
}

/**
 * @param folder an existing folder
 * @returns paths of the files in it that git tracks or does not ignore, relative to the folder; undefined without git or a repository, and
 * when git refuses to answer
 */
export async function listedByGit(folder: string): Promise<string[] | undefined> {
  const paths = await outputOf(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  // A nested repository is listed as a folder.
  return paths?.split('\0').filter((path) => path !== '' && !path.endsWith('/'));
}

/** @returns git's answer; undefined when there is no repository, git is not installed, or git has found nothing */
async function ask(
  args: readonly string[],
  folder: string,
  options: Pick<RunOptions, 'input'> = {},
): Promise<string | undefined> {
  try {
    return await git(args, folder, { ...lookup, ...options });
  } catch (error) {
    // `check-ignore` ends with 1 when none of the files is ignored.
    if (error instanceof ExecaError && error.exitCode === 1) return undefined;
    // Git is not installed, so there is no repository to protect.
    if (error instanceof SlipwayError) return undefined;
    const said = error instanceof ExecaError ? /^fatal: (.*)$/m.exec(error.stderr ?? '')?.[1] : undefined;
    if (said?.startsWith('not a git repository (or any')) return undefined;
    // Git refuses to answer: the repository belongs to another user, or is damaged.
    throw badInput(
      `git does not read the repository of ${folder}: ${said ?? explainFailure(error, `git ${args[0]}`)}`,
      'let git read it if you trust it (safe.directory in `git help config`), or leave git out with --no-git',
    );
  }
}

/**
 * @param folder a folder that may belong to a repository
 * @param files paths relative to the folder
 * @returns those that git ignores and does not track; empty without a repository
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function ignoredFiles(folder: string, files: readonly string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const answer = await ask(['check-ignore', '-z', '--stdin'], folder, { input: files.join('\0') });
  return answer?.split('\0').filter((file) => file !== '') ?? [];
}

/**
 * @param folder a folder inside a repository
 * @returns tracked files that a sparse checkout leaves out, relative to the folder; empty without a repository
 */
export async function sparseFiles(folder: string): Promise<ReadonlySet<string>> {
  // `S` is the tag of a file with the skip-worktree bit (git help ls-files).
  const records = (await outputOf(folder, ['ls-files', '-t', '-z']))?.split('\0') ?? [];
  return new Set(records.filter((record) => record.startsWith('S ')).map((record) => record.slice(2)));
}

/**
 * Creates a repository and commits all files.
 * @param folder the new service
 * @returns undefined on success, otherwise the reason
 */
export async function startRepository(folder: string): Promise<string | undefined> {
  const steps = [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    ['commit', '--quiet', '--no-verify', '--message=feat: create the service'],
  ];
  for (const step of steps) {
    try {
      await git(step, folder);
    } catch (error) {
      return explainFailure(error, `git ${step[0]}`);
    }
  }
  return undefined;
}

/** The max number of commits to read. Older content has usually been replaced many times. */
const mostCommits = 50;
/** The max length of all texts together. */
const longestHistory = 64 * 2 ** 20;

/**
 * @param folder a folder inside a repository
 * @param file path relative to the folder
 * @yields the text of the file in each commit that changed it, newest first; nothing when git is not installed
 */
export async function* pastTexts(folder: string, file: string): AsyncGenerator<string> {
  const commits = await outputOf(folder, [
    'rev-list',
    '--full-history',
    `--max-count=${mostCommits}`,
    'HEAD',
    '--',
    file,
  ]);
  let left = longestHistory;
  for (const commit of (commits ?? '').split('\n').filter((line) => line !== '')) {
    const text = await outputOf(folder, ['cat-file', 'blob', `${commit}:./${file}`]);
    left -= text?.length ?? 0;
    if (left < 0) return;
    if (text !== undefined) yield text;
  }
}

/** @returns the output of a git command, byte for byte; undefined when it fails */
async function outputOf(folder: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return await git(args, folder, { ...lookup, exact: true });
  } catch {
    return undefined;
  }
}
