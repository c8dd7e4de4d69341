/** The second half of `npm run build`, after the compiler: what was built, the files of modules, and V8's compile cache. */
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** What was built. It does not depend on when or where: two builds of one commit are equal. */
export interface BuildInfo {
  /** `BUILD_VERSION`, or the version in package.json. */
  readonly version: string;
  /** `BUILD_REVISION`, or the commit, with `-dirty` when files differ from it. */
  readonly revision?: string;
  /** RFC 3339 in UTC: `BUILD_DATE`, `SOURCE_DATE_EPOCH` (https://reproducible-builds.org), or the date of the commit. */
  readonly date?: string;
}

/** The service's root folder. */
export const root = path.resolve(import.meta.dirname, '..');

/**
 * @param folder of the service
 * @param env variables that say what is built where git is missing, as in an image
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
 * @returns name and version in its package.json
 */
export function manifestOf(folder: string): { readonly name: string; readonly version: string } {
  const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
  return Value.Parse(Type.Object({ name: Type.String(), version: Type.String() }), JSON.parse(text));
}

/** @returns the lockfile of a service: in its folder, or in the workspace above; undefined if there is none */
export function lockfileOf(folder: string): string | undefined {
  const [found] = globSync('{package-lock.json,pnpm-lock.yaml,yarn.lock,bun.lock}', { cwd: folder });
  if (found !== undefined || path.dirname(folder) === folder) return found && path.join(folder, found);
  return lockfileOf(path.dirname(folder));
}

function git(folder: string, ...args: string[]): string {
  const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

/** `npm start` and the image take compiled code from here. Not in `dist/`: V8 does not write the same bytes twice. */
const cache = '.cache/v8';

/** Loads each file of the build once, in a process of its own, so that the service starts without compiling them. */
function fillCompileCache(): void {
  rmSync(cache, { recursive: true, force: true });
  const files = globSync('dist/{internal,pkg}/**/*.js').map((file) => pathToFileURL(path.resolve(file)).href);
  // Only a cache: a file that cannot be loaded by itself is left out.
  const program = `await Promise.allSettled(${JSON.stringify(files)}.map((file) => import(file)));\nprocess.exit();`;
  const env = { ...process.env, NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: '1' };
  spawnSync(process.execPath, ['--input-type=module', '--eval', program], { env });
  // Node lets only the present user read them. In an image, the service runs as another user.
  for (const file of globSync(`${cache}/**/*`, { withFileTypes: true })) {
    chmodSync(path.join(file.parentPath, file.name), file.isDirectory() ? 0o755 : 0o644);
  }
}

if (import.meta.main) {
  process.chdir(root);
  writeFileSync('dist/build.json', `${JSON.stringify(buildInfo(root, process.env), null, 2)}\n`);
  for (const file of globSync('scripts/build/*.ts').toSorted()) await import(pathToFileURL(path.resolve(file)).href);
  fillCompileCache();
}
