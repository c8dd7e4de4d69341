/** Writes `dist/build.json`, which says what was built: `npm run build` runs it after the compiler. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** What was built. Nothing in it depends on when or where: two builds of one commit are equal, byte for byte. */
export interface BuildInfo {
  /** `BUILD_VERSION`, or that of package.json. */
  readonly version: string;
  /** `BUILD_REVISION`, or the commit, with `-dirty` behind it when files differ from it; none outside of git. */
  readonly revision?: string;
  /** RFC 3339 in UTC: `BUILD_DATE`, `SOURCE_DATE_EPOCH` (https://reproducible-builds.org), or the commit's; none outside of git. */
  readonly date?: string;
}

/** The service's root folder. */
export const root = path.resolve(import.meta.dirname, '..');

/**
 * @param folder of the service
 * @param env what the builder was told: where git is not at hand, as in an image, it says everything
 * @returns what a build there makes
 */
export function buildInfo(folder: string, env: NodeJS.ProcessEnv): BuildInfo {
  const revision =
    env['BUILD_REVISION'] || git(folder, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*');
  const seconds = env['SOURCE_DATE_EPOCH'] || git(folder, 'log', '-1', '--format=%ct');
  const date = env['BUILD_DATE'] || (seconds && new Date(Number(seconds) * 1000).toISOString());
  return {
    version: env['BUILD_VERSION'] || manifestOf(folder).version,
    ...(revision && { revision }),
    ...(date && { date }),
  };
}

/**
 * @param folder of the service
 * @returns its name and version
 */
export function manifestOf(folder: string): { readonly name: string; readonly version: string } {
  const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
  return Value.Parse(Type.Object({ name: Type.String(), version: Type.String() }), JSON.parse(text));
}

function git(folder: string, ...args: string[]): string {
  const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

if (import.meta.main) {
  const info = buildInfo(root, process.env);
  writeFileSync(path.join(root, 'dist', 'build.json'), `${JSON.stringify(info, null, 2)}\n`);
}
