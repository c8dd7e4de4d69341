/** Checks whether the files of this service are ready for production: `npm run production`. See docs/operations.md. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { lockfileOf, root as here } from './build.ts';

/** One condition for the first release. */
export interface Check {
  readonly what: string;
  /**
   * @param root the service's root folder
   * @returns what to do, and in which file; undefined if the condition is met
   */
  readonly look: (root: string) => string | undefined;
}

/** The checks of every service. */
export const ownChecks: readonly Check[] = [
  { what: 'registry and repository are named', look: placeholders },
  { what: 'the example is gone', look: example },
  { what: 'dependencies are locked', look: lockfile },
  { what: 'no secrets are in the repository', look: secrets },
];

const Checks = Type.Object({
  checks: Type.Array(
    Type.Object({ what: Type.String(), look: Type.Function([Type.String()], Type.Optional(Type.String())) }),
  ),
});

/**
 * Collects the checks of `npm run production`. docs/operations.md lists what only people can check.
 * @returns the checks of every service, and those of its modules: a file each in `scripts/production/`, which exports `checks`
 */
export async function allChecks(): Promise<Check[]> {
  const all = [...ownChecks];
  for (const file of globSync('scripts/production/*.ts', { cwd: here, exclude: ['**/*.test.ts'] }).toSorted()) {
    const module: unknown = await import(pathToFileURL(path.join(here, file)).href);
    if (!Value.Check(Checks, module)) throw new Error(`${file} has to export \`checks\``);
    all.push(...module.checks);
  }
  return all;
}

/** Names under `.invalid` never exist (RFC 2606): the templates use them where only you know the right one. */
function placeholders(root: string): string | undefined {
  const files = globSync('deploy/**/*.*', { cwd: root }).toSorted();
  const found = files.filter((file) => read(root, file).includes('.invalid/'));
  return found.length === 0 ? undefined : `replace what ends in .invalid in ${found.join(', ')}`;
}

function example(root: string): string | undefined {
  const main = 'cmd/server/main.ts';
  return read(root, main).includes('/items/')
    ? `${main} still lists internal/items, which keeps its data in memory`
    : undefined;
}

function lockfile(root: string): string | undefined {
  const file = lockfileOf(root);
  return file !== undefined && isTracked(root, file) ? undefined : `commit ${path.basename(file ?? 'the lockfile')}`;
}

function secrets(root: string): string | undefined {
  return isTracked(root, '.env') ? 'take .env out of version control: git rm --cached .env' : undefined;
}

function read(root: string, file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** Whether git knows the file; a folder without git knows none. */
function isTracked(root: string, file: string): boolean {
  return spawnSync('git', ['ls-files', '--error-unmatch', file], { cwd: root, stdio: 'ignore' }).status === 0;
}

if (import.meta.main) {
  let failed = 0;
  for (const { what, look } of await allChecks()) {
    const fault = look(here);
    if (fault !== undefined) failed += 1;
    process.stdout.write(fault === undefined ? `  ✓ ${what}\n` : `  ✗ ${what}: ${fault}\n`);
  }
  process.stdout.write(failed === 0 ? 'All checks of the files pass.\n' : `${failed} to do.\n`);
  process.stdout.write('docs/operations.md lists what only people can check.\n');
  process.exitCode = failed === 0 ? 0 : 1;
}
