import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ExecaError } from 'execa';
import { badInput, SlipwayError } from '../engine/errors.ts';
import type { Side, Trio } from '../engine/model.ts';
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
    SLIPWAY_NO_FILTER: '',
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

/** A file in a commit or in the index. */
export interface GitFile {
  /** Id of the object with its content. */
  readonly id: string;
  /** The file mode of git: `100644`, `100755` for a program, `120000` for a link, `160000` for a submodule. */
  readonly mode: string;
}

/** The versions of a file that git could not merge. A side without the file is absent. */
export type Unmerged = Readonly<Partial<Trio<GitFile>>>;

const stages: readonly (Side | undefined)[] = [undefined, 'base', 'yours', 'theirs'];

/**
 * @param folder a folder inside a repository
 * @returns files with conflicts of a git merge, relative to the folder: path → versions; empty without a repository
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function unmergedFiles(folder: string): Promise<ReadonlyMap<string, Unmerged>> {
  const files = new Map<string, Unmerged>();
  // Reads the index only, because a diff would run the filters that the repository names.
  for (const { words, path } of recordsOf(await ask(['ls-files', '--unmerged', '-z'], folder))) {
    const [mode = '', id = '', stage = ''] = words;
    const side = stages[Number(stage)];
    if (side !== undefined) files.set(path, { ...files.get(path), [side]: { id, mode } });
  }
  return files;
}

/** Splits the output of a listing with `-z`: words, a tab, and the path. */
function recordsOf(output = ''): { words: string[]; path: string }[] {
  return output.split('\0').flatMap((record) => {
    const tab = record.indexOf('\t');
    return tab === -1 ? [] : [{ words: record.slice(0, tab).split(/ +/), path: record.slice(tab + 1) }];
  });
}

/** A merge, rebase, cherry-pick or revert that git has not ended. */
export interface GitMerge {
  /** The command that ends it. */
  readonly goOn: string;
  /** The commits to merge. */
  readonly yours: string;
  readonly theirs: string;
  /** The best common ancestors: none for branches without a common commit, several after a criss-cross merge. */
  readonly bases: readonly string[];
}

/** The names under which git keeps the commit that it merges, and the command that ends the merge. */
const merges = [
  ['MERGE_HEAD', 'git merge --continue'],
  ['REBASE_HEAD', 'git rebase --continue'],
  ['CHERRY_PICK_HEAD', 'git cherry-pick --continue'],
  ['REVERT_HEAD', 'git revert --continue'],
] as const;

/**
 * @param folder a folder inside a repository
 * @returns the merge that is under way; undefined when there is none
 */
export async function mergeUnderWay(folder: string): Promise<GitMerge | undefined> {
  const commit = (name: string): Promise<string | undefined> =>
    wordOf(folder, ['rev-parse', '--verify', '--quiet', name]);
  const yours = await commit('HEAD^{commit}');
  for (const [name, goOn] of yours === undefined ? [] : merges) {
    const other = await commit(`${name}^{commit}`);
    if (other === undefined || yours === undefined || (name === 'REBASE_HEAD' && !(await isRebasing(folder)))) continue;
    const parents =
      name === 'MERGE_HEAD' ? await commonAncestors(folder, yours, other) : listOf(await commit(`${other}^1^{commit}`));
    if (name !== 'REVERT_HEAD') return { goOn, yours, theirs: other, bases: parents };
    const [parent] = parents;
    if (parent !== undefined) return { goOn, yours, theirs: parent, bases: [other] };
  }
  return undefined;
}

/**
 * @param folder a folder inside a repository
 * @param some a commit
 * @param other another commit
 * @returns their best common ancestors
 */
export async function commonAncestors(folder: string, some: string, other: string): Promise<string[]> {
  return listOf(...((await wordOf(folder, ['merge-base', '--all', some, other])) ?? '').split('\n'));
}

function listOf(...words: readonly (string | undefined)[]): string[] {
  return words.filter((word) => word !== undefined && word !== '').map(String);
}

/** Git may keep the name of the commit after the end of a rebase. */
async function isRebasing(folder: string): Promise<boolean> {
  const places = await outputOf(folder, ['rev-parse', '--git-path', 'rebase-merge', '--git-path', 'rebase-apply']);
  return (places ?? '')
    .trim()
    .split('\n')
    .some((place) => existsSync(resolve(folder, place)));
}

async function wordOf(folder: string, args: readonly string[]): Promise<string | undefined> {
  return (await outputOf(folder, args))?.trim();
}

/**
 * @param folder a folder inside a repository
 * @param commit id of a commit
 * @returns the files of the commit in that folder, relative to it
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function committedFiles(folder: string, commit: string): Promise<ReadonlyMap<string, GitFile>> {
  const records = recordsOf(await ask(['ls-tree', '-r', '-z', commit], folder));
  return new Map(records.map(({ words: [mode = '', , id = ''], path }) => [path, { id, mode }]));
}

/** The max size (bytes) of a file that is read from git, and of all files that are read at once. */
const largestBlob = 16 * 2 ** 20;
const largestBatch = 4 * largestBlob;

/**
 * @param folder a folder inside a repository
 * @param ids ids of files
 * @returns id → content; files that are very large, or missing in a partial clone, are left out
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function readBlobs(folder: string, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const batches: string[][] = [];
  let room = 0;
  for (const line of (await ask(['cat-file', '--batch-check'], folder, { input: ended(ids, '\n') }))?.split('\n') ??
    []) {
    const [id = '', type, size] = line.split(' ');
    if (type !== 'blob' || Number(size) > largestBlob) continue;
    if (Number(size) > room) {
      batches.push([]);
      room = largestBatch;
    }
    batches.at(-1)?.push(id);
    room -= Number(size);
  }
  for (const batch of batches) {
    const output =
      (await ask(['cat-file', '--batch'], folder, { input: ended(batch, '\n'), encoding: 'latin1', exact: true })) ??
      '';
    for (let at = 0; at < output.length;) {
      const end = output.indexOf('\n', at);
      const [id = '', , size] = output.slice(at, end).split(' ');
      found.set(id, Uint8Array.from(Buffer.from(output.slice(end + 1, end + 1 + Number(size)), 'latin1')));
      at = end + Number(size) + 2;
    }
  }
  return found;
}

/** Joins words for the standard input of git. Each word ends with a character. */
function ended(words: Iterable<string>, end: '\n' | '\0'): string {
  return [...words].map((word) => word + end).join('');
}

/**
 * Puts files into git's index as they are on disk. A file with a filter (`filter` in gitattributes) is left out,
 * because the repository names the program of the filter.
 * @param folder a folder inside a repository
 * @param paths files relative to the folder; a missing file is removed from the index
 * @returns the files that were left out
 * @throws SlipwayError (exit code 2) when git refuses
 */
export async function stageFiles(folder: string, paths: readonly string[]): Promise<string[]> {
  const words =
    (await ask(['check-attr', '-z', '--stdin', 'filter'], folder, { input: ended(paths, '\0') }))?.split('\0') ?? [];
  const filtered = paths.filter((_, at) => !['unspecified', 'unset'].includes(words[3 * at + 2] ?? ''));
  const plain = paths.filter((name) => !filtered.includes(name));
  await ask([...(await noFilters(folder)), 'update-index', '--add', '--remove', '-z', '--stdin'], folder, {
    input: ended(plain, '\0'),
  });
  return filtered;
}

/**
 * Marks files as unmerged again that {@link stageFiles} has put into the index.
 * @param folder a folder inside a repository
 * @param paths files relative to the folder
 * @returns the files that were unmerged before
 */
export async function unstageResolved(folder: string, paths: readonly string[]): Promise<string[]> {
  const known = recordsOf(await ask(['ls-files', '--resolve-undo', '-z'], folder));
  const records = known.filter(({ path }) => paths.includes(path));
  const resolved = [...new Set(records.map(({ path }) => path))];
  // Mode 0 removes the resolved version.
  const removals = resolved.map((path) => `0 ${'0'.repeat(records[0]?.words[1]?.length ?? 40)}\t${path}`);
  const input = ended([...removals, ...records.map(({ words, path }) => `${words.join(' ')}\t${path}`)], '\0');
  await ask([...(await noFilters(folder)), 'update-index', '-z', '--index-info'], folder, { input });
  return resolved;
}

/**
 * Turns off the filters that a repository names, which are programs. Git runs them when it compares files, also when it writes the index.
 * @returns arguments for git
 */
async function noFilters(folder: string): Promise<string[]> {
  const names = await outputOf(folder, ['config', '-z', '--name-only', '--get-regexp', String.raw`^filter\.`]);
  return (names ?? '')
    .split('\0')
    .flatMap((name) => (name === '' ? [] : ['--config-env', `${name}=SLIPWAY_NO_FILTER`]));
}

/**
 * @param folder a folder inside a repository
 * @returns whether a committed file in it was edited since; false without a repository
 */
export async function hasUncommittedEdits(folder: string): Promise<boolean> {
  const status = ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=all', '--', '.'];
  return ((await outputOf(folder, [...(await noFilters(folder)), ...status])) ?? '') !== '';
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
  options: Omit<RunOptions, 'env'> = {},
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
 * @param folder a folder that may belong to a repository
 * @param files paths relative to the folder
 * @returns those that git does not track; empty without a repository
 * @throws SlipwayError (exit code 2) when git refuses to answer
 */
export async function untrackedFiles(folder: string, files: readonly string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const answer = await ask(['--literal-pathspecs', 'ls-files', '-z', '--cached', '--', ...files], folder);
  const tracked = new Set(answer?.split('\0'));
  return answer === undefined ? [] : files.filter((file) => !tracked.has(file));
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
