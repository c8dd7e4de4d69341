/**
 * Fails when the service breaks callers of its last release: `npm run contract`, or `npm run contract -- v1.0.0` for another release.
 * Each file in `scripts/contract/` compares one kind of contract.
 */
import { spawnSync } from 'node:child_process';
import { Type } from 'typebox';
import { importAll, readArguments, root as here } from './build.ts';

/** What a file in `scripts/contract/` exports. */
const Comparison = Type.Object({
  /** A release without this file has no such contract. */
  file: Type.String(),
  /** Takes the tag of the release, and returns the exit code. */
  compare: Type.Function([Type.String()], Type.Number()),
});

/** The tag of a release, or why there is nothing to compare with, or why that is unknown. */
type Released = { readonly tag: string } | { readonly nothing: string } | { readonly fault: string };

/**
 * Looks for the last release in git: of the tags like `v1.2.3` or `1.2.3`, the highest that the present commit contains. Nothing is
 * fetched. In a shallow clone git does not know which tags a commit contains: there it is the highest of all.
 * @param root the service's root folder
 * @param file under the root, which the release must have
 * @param tag of another release, or any other name of a commit
 * @returns that release
 */
export function lastRelease(root: string, file: string, tag?: string): Released {
  const git = (...args: readonly string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const shallow = git('rev-parse', '--is-shallow-repository');
  if (shallow.status !== 0) return { nothing: 'this is no git repository, so there is no release' };
  const isShallow = shallow.stdout.trim() === 'true';
  const { stdout: tags } = git('tag', '--list', ...(isShallow ? [] : ['--merged', 'HEAD']));
  const { compare } = new Intl.Collator('en', { numeric: true });
  const versions = tags.split('\n').filter((each) => /^v?\d+\.\d+\.\d+$/.test(each));
  const found = tag ?? versions.toSorted((a, b) => compare(a.replace('v', ''), b.replace('v', ''))).at(-1);
  if (found === undefined) {
    return isShallow
      ? { fault: 'this clone is shallow and has no tag of a release: git fetch --unshallow --tags' }
      : { nothing: 'no release yet: no tag like v1.2.3' };
  }
  const { status, stdout: listed, stderr } = git('ls-tree', '--name-only', found, file);
  if (status !== 0) return { fault: `${found} is not available here: ${stderr.trim()}` };
  return listed === '' ? { nothing: `${found} has no ${file}` } : { tag: found };
}

if (import.meta.main) {
  const [tag] = readArguments('contract [tag]', 1);
  for (const { file, compare } of await importAll('scripts/contract/*.ts', Comparison)) {
    const released = lastRelease(here, file, tag);
    if ('tag' in released) {
      // An earlier comparison may have failed.
      process.exitCode = compare(released.tag) || process.exitCode;
    } else if ('nothing' in released) {
      process.stdout.write(`${file}: nothing to compare with: ${released.nothing}.\n`);
    } else {
      process.stderr.write(`${file}: nothing was compared: ${released.fault}\n`);
      process.exitCode = 1;
    }
  }
}
