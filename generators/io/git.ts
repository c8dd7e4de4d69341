import { execa } from 'execa';
import { explainFailure, runProcess } from './process.ts';

/**
 * @param folder an existing folder
 * @returns the root of the git repository it belongs to; undefined when it belongs to none or git is not there
 */
export async function gitRoot(folder: string): Promise<string | undefined> {
  try {
    return (await runProcess(['git', 'rev-parse', '--show-toplevel'], folder)).trim();
  } catch {
    return undefined;
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
    ['commit', '--quiet', '--no-verify', '--message=feat: lay down the service'],
  ];
  for (const step of steps) {
    try {
      await runProcess(['git', ...step], folder);
    } catch (error) {
      return explainFailure(error, `git ${step[0]}`);
    }
  }
  return undefined;
}

/**
 * @param folder inside a repository
 * @returns files with conflicts that a git merge left behind, relative to the folder; none without git
 */
export async function unmergedFiles(folder: string): Promise<string[]> {
  try {
    const output = await runProcess(['git', 'diff', '--name-only', '--diff-filter=U', '--relative'], folder);
    return output.split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
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
    return (await execa('git', args, { cwd: folder, stdin: 'ignore', stripFinalNewline: false })).stdout;
  } catch {
    return undefined;
  }
}
