/** Compares `api/openapi.json`. A new major version of the API may break callers; so may an operation after its sunset. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { isObject, membersOf } from '../openapi/json.ts';

export const file = 'api/openapi.json';
const Versioned = Type.Object({ info: Type.Object({ version: Type.String() }) });

/**
 * Compares with a release, and prints what breaks callers.
 * @param tag of the release
 * @returns the exit code
 */
export function compare(tag: string): number {
  const { stdout: text } = spawnSync('git', ['show', `${tag}:./${file}`], { encoding: 'utf8', maxBuffer: Infinity });
  const mayBreak = isMajorStep(versionIn(text), versionIn(readFileSync(file, 'utf8')));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'contract-'));
  const before = path.join(folder, `${tag.replaceAll('/', '-')}.json`);
  writeFileSync(before, JSON.stringify(withoutEnded(JSON.parse(text), new Date().toISOString().slice(0, 10))));
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

function versionIn(text: string): string {
  return Value.Parse(Versioned, JSON.parse(text)).info.version;
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
 * Leaves out of a contract what has ended: operations, schemas and values whose `x-sunset` has passed
 * (https://www.oasdiff.com/docs/deprecation), bodies of such schemas, and paths without any other operation.
 * @param document OpenAPI
 * @param today as `YYYY-MM-DD`
 * @returns what callers may still rely on
 */
export function withoutEnded(document: unknown, today: string): unknown {
  if (!isObject(document)) return document;
  const { components, paths } = document;
  const schemas = isObject(components) ? membersOf(components['schemas']) : [];
  const ended = new Set(
    schemas.filter(([, schema]) => hasPassed(schema, today)).map(([name]) => `#/components/schemas/${name}`),
  );
  const isOver = (part: unknown): boolean =>
    isObject(part) &&
    (hasPassed(part, today) || (typeof part['$ref'] === 'string' && ended.has(part['$ref'])) || isOver(part['schema']));
  const rest = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.filter((each) => !isOver(each)).map(rest);
    if (!isObject(part)) return part;
    const members = membersOf(part).filter(([, member]) => !isOver(member));
    return Object.fromEntries(members.map(([name, member]) => [name, rest(member)]));
  };
  const left = membersOf(paths).flatMap(([name, item]): [string, unknown][] => {
    const remains = rest(item);
    return hasOperations(item) && !hasOperations(remains) ? [] : [[name, remains]];
  });
  const others = membersOf(document).map(([name, part]): [string, unknown] => [name, rest(part)]);
  return { ...Object.fromEntries(others), paths: Object.fromEntries(left) };
}

function hasPassed(part: unknown, today: string): boolean {
  if (!isObject(part)) return false;
  const { 'x-sunset': sunset } = part;
  return typeof sunset === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(sunset) && sunset <= today;
}

/** Other members of a path have no such object: `parameters` is a list, `summary` a text. */
function hasOperations(item: unknown): boolean {
  return membersOf(item).some(([, member]) => isObject(member));
}
