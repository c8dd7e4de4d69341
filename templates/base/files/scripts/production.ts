/** Checks whether the files of this service are ready for production: `npm run production`. See docs/operations.md. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Type } from 'typebox';
import { importAll, lockfileOf, readArguments, root as here } from './build.ts';

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
  { what: 'dependencies are locked', look: lockfile },
  { what: 'no secrets are in the repository', look: secrets },
];

/** Names under `.invalid` never exist (RFC 2606): the templates use them where only you know the right one. */
function placeholders(root: string): string | undefined {
  const found = globSync('deploy/**/*.*', { cwd: root }).filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('.invalid/'),
  );
  return found.length === 0 ? undefined : `replace what ends in .invalid in ${found.toSorted().join(', ')}`;
}

function lockfile(root: string): string | undefined {
  const file = lockfileOf(root);
  return file !== undefined && isTracked(root, file) ? undefined : `commit ${path.basename(file ?? 'the lockfile')}`;
}

function secrets(root: string): string | undefined {
  return isTracked(root, '.env') ? 'take .env out of version control: git rm --cached .env' : undefined;
}

/** Whether git knows the file; a folder without git knows none. */
function isTracked(root: string, file: string): boolean {
  return spawnSync('git', ['ls-files', '--error-unmatch', file], { cwd: root, stdio: 'ignore' }).status === 0;
}

if (import.meta.main) {
  readArguments('production');
  // Modules add a file each.
  const Checks = Type.Object({ checks: Type.Array(Type.Unsafe<Check>({})) });
  const added = await importAll('scripts/production/*.ts', Checks);
  let failed = 0;
  for (const { what, look } of [...ownChecks, ...added.flatMap(({ checks }) => checks)]) {
    const fault = look(here);
    if (fault !== undefined) failed += 1;
    process.stdout.write(fault === undefined ? `  ✓ ${what}\n` : `  ✗ ${what}: ${fault}\n`);
  }
  process.stdout.write(failed === 0 ? 'All checks of the files pass.\n' : `${failed} to do.\n`);
  process.stdout.write('docs/operations.md lists what only people can check.\n');
  process.exitCode = failed === 0 ? 0 : 1;
}
