/** Looks whether this service is ready for production, as far as its files can tell: `npm run production`. See docs/production.md. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { config } from '../internal/platform/app/config.ts';
import { readConfig } from '../internal/platform/config/config.ts';
import { root as here } from './support/service.ts';

/** One thing that has to be so before the first release. */
export interface Check {
  readonly what: string;
  /**
   * @param root the service's root folder
   * @returns what is to be done, naming the place; undefined when nothing is
   */
  readonly look: (root: string) => string | undefined;
}

/** What the files of a service can tell of its readiness for production; what only people can tell stands in docs/production.md. */
export const checks: readonly Check[] = [
  { what: 'registry and repository are named', look: placeholders },
  { what: 'the example is gone', look: example },
  { what: 'dependencies are locked', look: lockfile },
  { what: 'no secrets are in the repository', look: secrets },
  { what: 'every alert has its runbook', look: runbooks },
  { what: 'the process has time to stop', look: graceful },
];

/** Names under `.invalid` never exist (RFC 2606): the templates use them where only you know the right one. */
function placeholders(root: string): string | undefined {
  const found = filesIn(root, 'deploy').filter((file) => read(root, file).includes('.invalid/'));
  return found.length === 0 ? undefined : `replace what ends in .invalid in ${found.join(', ')}`;
}

function example(root: string): string | undefined {
  const main = 'cmd/server/main.ts';
  return read(root, main).includes('/items/') ? `${main} still lists internal/items` : undefined;
}

function lockfile(root: string): string | undefined {
  const names = ['package-lock.json', 'pnpm-lock.yaml'];
  return names.some((name) => isTracked(root, name)) ? undefined : `commit ${names.join(' or ')}`;
}

function secrets(root: string): string | undefined {
  return isTracked(root, '.env') ? 'take .env out of version control: git rm --cached .env' : undefined;
}

function runbooks(root: string): string | undefined {
  const missing = filesIn(root, 'deploy/observability/alerts').flatMap((file) => {
    const text = read(root, file);
    const names = [...text.matchAll(/^ *runbook_url: (\S+)$/gm)].map(([, name = '']) => name);
    const alerts = [...text.matchAll(/^ *- alert: /gm)].length;
    const gone = names.filter((name) => !name.includes('://') && !existsSync(path.join(root, name)));
    return [...gone, ...(names.length < alerts ? [`a runbook_url in ${file}`] : [])];
  });
  return missing.length === 0 ? undefined : `write ${missing.join(', ')}`;
}

/** The time that Kubernetes gives must be more than the service takes. */
function graceful(root: string): string | undefined {
  const deployment = 'deploy/k8s/base/deployment.yaml';
  const grace = Number(/^ *terminationGracePeriodSeconds: (\d+)$/m.exec(read(root, deployment))?.[1]) * 1000;
  const set = filesIn(root, 'deploy/k8s').flatMap((file) =>
    [...read(root, file).matchAll(/SHUTDOWN_TIMEOUT_MS[=:] *'?(\d+)/g)].map(([, ms]) => Number(ms)),
  );
  const longest = Math.max(readConfig(config, {}).SHUTDOWN_TIMEOUT_MS, ...set);
  if (longest < grace) return undefined;
  return `SHUTDOWN_TIMEOUT_MS is ${longest}; raise terminationGracePeriodSeconds in ${deployment} above it`;
}

function read(root: string, file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

function filesIn(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.posix.join(...path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep)))
    .toSorted();
}

/** Whether git knows the file; a folder without git knows none. */
function isTracked(root: string, file: string): boolean {
  return spawnSync('git', ['ls-files', '--error-unmatch', file], { cwd: root, stdio: 'ignore' }).status === 0;
}

if (import.meta.main) {
  let failed = 0;
  for (const { what, look } of checks) {
    const fault = look(here);
    if (fault !== undefined) failed += 1;
    process.stdout.write(fault === undefined ? `  ✓ ${what}\n` : `  ✗ ${what}: ${fault}\n`);
  }
  process.stdout.write(failed === 0 ? 'What files can tell is done.\n' : `${failed} to do.\n`);
  process.stdout.write('What only people can tell stands in docs/production.md.\n');
  process.exitCode = failed === 0 ? 0 : 1;
}
