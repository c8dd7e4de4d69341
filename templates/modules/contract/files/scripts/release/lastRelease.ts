import { spawnSync } from 'node:child_process';

/** The tag of a release, or why there is none. */
export type Released =
  | { readonly tag: string }
  /** There is nothing to compare with. */
  | { readonly nothing: string }
  /** It cannot be told whether there is. */
  | { readonly fault: string };

const release = /^v?(\d+)\.(\d+)\.(\d+)$/;

/**
 * Looks the last release up in git: of the tags that look like a version, `v1.2.3` or `1.2.3`, the highest that the present commit
 * contains. Nothing is fetched. A shallow clone does not know what a commit contains: of its tags, the highest.
 * @param root the service's root folder
 * @param file under the root, that the release has to have
 * @param tag of another release, or any other name of a commit
 * @returns that release
 */
export function lastRelease(root: string, file: string, tag?: string): Released {
  const git = (...args: readonly string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const shallow = git('rev-parse', '--is-shallow-repository');
  if (shallow.status !== 0) return { nothing: 'this is no git repository, so there is no release' };
  const isShallow = shallow.stdout.trim() === 'true';
  const { stdout: tags } = git('tag', '--list', ...(isShallow ? [] : ['--merged', 'HEAD']));
  const found = tag ?? highest(tags.split('\n'));
  if (found === undefined) {
    return isShallow
      ? { fault: 'this clone is shallow and has no tag of a release: git fetch --unshallow --tags' }
      : { nothing: 'no release yet: no tag like v1.2.3' };
  }
  const { status, stdout: listed, stderr } = git('ls-tree', '--name-only', found, file);
  if (status !== 0) return { fault: `${found} is not to be had here: ${stderr.trim()}` };
  if (listed === '') return { nothing: `${found} has no ${file}` };
  return { tag: found };
}

function highest(tags: readonly string[]): string | undefined {
  return tags.filter((tag) => release.test(tag)).toSorted((a, b) => compareVersions(b, a))[0];
}

function compareVersions(some: string, other: string): number {
  const [a, b] = [numbersOf(some), numbersOf(other)];
  return a.map((number, index) => number - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function numbersOf(version: string): number[] {
  return (release.exec(version) ?? []).slice(1).map(Number);
}

/**
 * @param before version of the API as it was released: `info.version`
 * @param now version as it is to be
 * @returns whether callers are told by it that something breaks: another major version; below 1.0.0, another minor (semver, 4 and 8)
 */
export function isMajorStep(before: string, now: string): boolean {
  const [oldMajor = 0, oldMinor = 0] = numbersOf(before);
  const [major = 0, minor = 0] = numbersOf(now);
  return major > oldMajor || (major === 0 && oldMajor === 0 && minor > oldMinor);
}
