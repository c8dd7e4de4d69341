import { ExecaError } from 'execa';
import { badInput, SlipwayError } from '../engine/errors.ts';
import { explainFailure, type RunOptions, runProcess } from './process.ts';

/**
 * Settings that outweigh those of a repository, which may be a stranger's: git must run no program that it names, and must not
 * take a folder with the files of a repository for one.
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

/** Of git's variables: who commits, where the user's own configuration is, and how far git looks for a repository. */
const kept =
  /^GIT_(?:(?:AUTHOR|COMMITTER)_|CONFIG|CEILING_DIRECTORIES$|DISCOVERY_ACROSS_FILESYSTEM$|EXEC_PATH$|TEMPLATE_DIR$)/i;

/** How long (ms) git may take to look something up; its files may be anything, a pipe too. */
const lookup = { timeout: 120_000 };

/**
 * Calls git: the one place where it is done.
 * @param args its arguments
 * @param folder where
 * @param options how long it may take
 * @returns what it wrote to standard output; warnings and traces are on the other stream, and do not count
 * @throws ExecaError or SlipwayError when it fails or is not there
 */
function git(args: readonly string[], folder: string, options: Omit<RunOptions, 'env'> = {}): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !/^GIT_/i.test(name) || kept.test(name));
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
 * @throws Error when git is not there
 */
export function gitVersion(folder: string): Promise<string> {
  return git(['--version'], folder, lookup);
}

/**
 * @param folder an existing folder
 * @returns whether it belongs to a git repository; not when git is not there
 * @throws SlipwayError (exit code 2) when git refuses to say
 */
export async function isInRepository(folder: string): Promise<boolean> {
  return (await ask(['rev-parse', '--show-toplevel'], folder)) !== undefined;
}

/**
 * @param folder inside a repository
 * @returns files with conflicts that a git merge left behind, relative to the folder; none without a repository
 * @throws SlipwayError (exit code 2) when git refuses to say
 */
export async function unmergedFiles(folder: string): Promise<string[]> {
  // From the index alone: a diff would run the filters that the repository names.
  const records = (await ask(['ls-files', '--unmerged', '-z'], folder))?.split('\0') ?? [];
  return [
    ...new Set(records.filter((record) => record !== '').map((record) => record.slice(record.indexOf('\t') + 1))),
  ];
}

/** @returns git's answer; undefined when there is no repository, or no git */
async function ask(args: readonly string[], folder: string): Promise<string | undefined> {
  try {
    return await git(args, folder, lookup);
  } catch (error) {
    // Without git there is no repository to look after.
    if (error instanceof SlipwayError) return undefined;
    const said = error instanceof ExecaError ? /^fatal: (.*)$/m.exec(error.stderr ?? '')?.[1] : undefined;
    if (said?.startsWith('not a git repository (or any')) return undefined;
    // Anything else is a refusal: the repository is somebody else's, or damaged, and nothing is known of it.
    throw badInput(
      `git does not read the repository of ${folder}: ${said ?? explainFailure(error, `git ${args[0]}`)}`,
      'let git read it if you trust it (safe.directory in `git help config`), or leave git out with --no-git',
    );
  }
}

/**
 * Starts a repository with everything in its first commit.
 * @param folder the new service
 * @returns undefined when it worked, otherwise why not
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

/** How many commits are looked at: whatever is older has been written anew many times. */
const mostCommits = 50;

/**
 * @param folder inside a repository
 * @param file relative to the folder
 * @yields the text of the file in the commits that changed it, newest first; nothing without git
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
  for (const commit of (commits ?? '').split('\n').filter((line) => line !== '')) {
    const text = await outputOf(folder, ['cat-file', 'blob', `${commit}:./${file}`]);
    if (text !== undefined) yield text;
  }
}

/** @returns what a command of git prints, byte for byte; undefined when it fails */
async function outputOf(folder: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return await git(args, folder, { ...lookup, exact: true });
  } catch {
    return undefined;
  }
}
