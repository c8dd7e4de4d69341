/** The second half of `npm run build`, after the compiler: what was built, TypeBox in few files, and the files of modules. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { type Static, type TObject, Type } from 'typebox';
import { Value } from 'typebox/value';
import { type About, readAbout } from '../internal/platform/app/about.ts';

/** The service's root folder. */
export const root = path.resolve(import.meta.dirname, '..');

/**
 * Describes a build. It does not depend on when or where: two builds of one commit are equal.
 * @param folder of the service
 * @param env says what is built where git is missing, as in an image: `BUILD_VERSION`, `BUILD_REVISION`, and `BUILD_DATE` or
 * `SOURCE_DATE_EPOCH` (https://reproducible-builds.org)
 * @returns version in package.json; commit, with `-dirty` when files differ from it; its date, RFC 3339 in UTC
 */
export function buildInfo(folder: string, env: NodeJS.ProcessEnv): Omit<About, 'name'> {
  const revision =
    env['BUILD_REVISION'] || git(folder, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*');
  const seconds = env['SOURCE_DATE_EPOCH'] || git(folder, 'log', '-1', '--format=%ct');
  const date = env['BUILD_DATE'] || (seconds && new Date(Number(seconds) * 1000).toISOString());
  return {
    version: env['BUILD_VERSION'] || readAbout(path.join(folder, 'package.json')).version,
    ...(revision && { revision }),
    ...(date && { date }),
  };
}

/** @returns the lockfile of a service: in its folder, or in the workspace above; undefined if there is none */
export function lockfileOf(folder: string): string | undefined {
  const [found] = globSync('{package-lock.json,pnpm-lock.yaml,yarn.lock,bun.lock}', { cwd: folder });
  if (found !== undefined || path.dirname(folder) === folder) return found && path.join(folder, found);
  return lockfileOf(path.dirname(folder));
}

/**
 * Reads the arguments of a script. It ends the process with code 2 when there are flags or too many arguments.
 * @param usage name of the script, and its arguments, for people
 * @param max number of arguments
 * @returns the arguments
 */
export function readArguments(usage: string, max = 0): string[] {
  // pnpm passes the dashes on; npm removes them.
  const args = process.argv.slice(2).filter((arg) => arg !== '--');
  if (args.length <= max && !args.some((arg) => arg.startsWith('-'))) return args;
  process.stderr.write(`unexpected argument: ${args.join(' ')}\nusage: ${usage}\n`);
  return process.exit(2);
}

/**
 * Loads what modules add to a script.
 * @param pattern of their files, from the service's root
 * @param exports what each has to export
 * @returns what the files export, sorted by path
 * @throws {Error} when a file exports something else
 */
export async function importAll<Exports extends TObject>(
  pattern: string,
  exports: Exports,
): Promise<Static<Exports>[]> {
  const all: Static<Exports>[] = [];
  for (const file of globSync(pattern, { cwd: root, exclude: ['**/*.test.ts'] }).toSorted()) {
    const module: unknown = await import(pathToFileURL(path.join(root, file)).href);
    if (!Value.Check(exports, module))
      throw new Error(`${file} has to export ${Object.keys(exports.properties).join(', ')}`);
    all.push(module);
  }
  return all;
}

function git(folder: string, ...args: string[]): string {
  const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

/**
 * Joins the 370 files of TypeBox into a few: the service starts faster by an eighth. Compiled code finds them first, because Node looks
 * into `dist/node_modules` before `node_modules`. Other packages stay as they are: agents instrument them when they are loaded.
 */
async function joinTypeBox(): Promise<void> {
  const manifest = readFileSync(findPackageJSON('typebox', import.meta.url) ?? '', 'utf8');
  const Manifest = Type.Object({ version: Type.String(), exports: Type.Object({}) });
  const { version, exports } = Value.Parse(Manifest, JSON.parse(manifest));
  const input: Record<string, string> = {};
  for (const entry of Object.keys(exports)) input[entry.slice(2) || 'index'] = path.posix.join('typebox', entry);
  const dir = 'dist/node_modules/typebox';
  await build({
    input,
    platform: 'node',
    output: {
      dir,
      cleanDir: true,
      sourcemap: true,
      // The files name no path of this machine.
      sourcemapPathTransform: (source) => source.replace(/^.*node_modules\//, ''),
    },
    experimental: { attachDebugInfo: 'none' },
    logLevel: 'warn',
  });
  const joined = { name: 'typebox', version, type: 'module', exports: { '.': './index.js', './*': './*.js' } };
  writeFileSync(`${dir}/package.json`, JSON.stringify(joined));
}

if (import.meta.main) {
  process.chdir(root);
  writeFileSync('dist/build.json', `${JSON.stringify(buildInfo(root, process.env), null, 2)}\n`);
  await joinTypeBox();
  await importAll('scripts/build/*.ts', Type.Object({}));
}
