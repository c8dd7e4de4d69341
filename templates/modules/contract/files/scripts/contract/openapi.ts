/** Compares `api/openapi.json`. A new major version of the API may break callers; so may an operation after its sunset. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { isObject, membersOf, objectOf } from '../openapi/print.ts';

export const file = 'api/openapi.json';

/**
 * Compares with a release, and prints what breaks callers.
 * @param tag of the release
 * @returns the exit code
 */
export function compare(tag: string): number {
  const { stdout } = spawnSync('git', ['show', `${tag}:./${file}`], { encoding: 'utf8', maxBuffer: Infinity });
  const released: unknown = JSON.parse(stdout);
  const mayBreak = isMajorStep(versionIn(released), versionIn(JSON.parse(readFileSync(file, 'utf8'))));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'contract-'));
  const before = path.join(folder, `${tag.replaceAll('/', '-')}.json`);
  writeFileSync(before, JSON.stringify(withoutEnded(released, new Date().toISOString().slice(0, 10))));
  const redocly = path.join(path.dirname(findPackageJSON('@redocly/cli', import.meta.url) ?? ''), 'bin', 'cli.js');
  const { status } = spawnSync(
    process.execPath,
    [redocly, 'diff', before, file, `--fail-on=${mayBreak ? 'none' : 'major'}`],
    { stdio: 'inherit', env: { ...process.env, REDOCLY_TELEMETRY: 'off' } },
  );
  rmSync(folder, { recursive: true });
  if (status !== 0) {
    process.stderr.write(`
Callers of ${tag} break. Revert the change, or keep what they use and add the new beside it. To break them on purpose, raise the first
number of the version in internal/platform/contract/module.ts, and run: npm run openapi
`);
  }
  return status ?? 1;
}

function versionIn(document: unknown): string {
  return String(objectOf(objectOf(document)['info'])['version']);
}

/**
 * @param before the version of the released API: `info.version`
 * @param now the present version
 * @returns whether the step announces a break: another major version; below 1.0.0, another minor one (semver, 4 and 8)
 */
export function isMajorStep(before: string, now: string): boolean {
  const [oldMajor = 0, oldMinor = 0] = before.split('.').map(Number);
  const [major = 0, minor = 0] = now.split('.').map(Number);
  return major > oldMajor || (major === 0 && oldMajor === 0 && minor > oldMinor);
}

/**
 * Leaves out of a contract the operations that have ended: their `x-sunset` has passed (https://www.oasdiff.com/docs/deprecation).
 * @param document OpenAPI
 * @param today as `YYYY-MM-DD`
 * @returns what callers may still rely on
 */
export function withoutEnded(document: unknown, today: string): unknown {
  const isOver = (operation: unknown): boolean => {
    const sunset = objectOf(operation)['x-sunset'];
    return typeof sunset === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(sunset) && sunset <= today;
  };
  const paths = membersOf(objectOf(document)['paths']).flatMap(([name, item]): [string, unknown][] => {
    const left = membersOf(item).filter(([, part]) => !isOver(part));
    // Other members of a path are no objects: `parameters` is a list, `summary` a text.
    return left.some(([, part]) => isObject(part)) ? [[name, Object.fromEntries(left)]] : [];
  });
  return { ...objectOf(document), paths: Object.fromEntries(paths) };
}
