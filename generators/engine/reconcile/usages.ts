import { fieldOf, isObject } from '../json.ts';
import { isRelative, isSource, moduleSpecifiers } from './moduleSpecifiers.ts';
import { candidates, resolve } from './specifiers.ts';

/** A place in the user's files that needs a file, a package or an npm script that the plan removes. */
export interface Usage {
  readonly path: string;
  /** Line, counted from 1. */
  readonly line: number;
  /** How the place names it: a specifier, a path, or `npm run <script>`. */
  readonly specifier: string;
}

/** The files, packages and npm scripts that the plan removes. */
export interface Gone {
  /** Paths from the service's root, also of folders without a remaining file; a folder ends with `/`. */
  readonly files: ReadonlySet<string>;
  /** Those that have a new place. Imports follow them; a string or a path that names the former place is the user's. */
  readonly moved?: ReadonlySet<string>;
  /** Names of npm packages. */
  readonly packages: ReadonlySet<string>;
  /** Names of npm scripts. */
  readonly scripts?: ReadonlySet<string>;
}

/**
 * Finds the places that need a removed file, package or npm script. In sources these are imports, exports, `require`, mocks, paths built
 * from `import.meta`, and strings that are the path of a removed source. In package.json, YAML, shell scripts and Dockerfiles these are paths, and calls of npm scripts.
 * @param files path and text of the remaining files; removed files are skipped
 * @param gone the removed files, packages and npm scripts
 * @param aliases the field `imports` of package.json (https://nodejs.org/api/packages.html#imports)
 * @returns the places, in the order of the files
 */
export function findUsages(
  files: Iterable<readonly [path: string, text: string]>,
  gone: Gone,
  aliases?: unknown,
): Usage[] {
  const usages: Usage[] = [];
  for (const [path, text] of files) {
    if (gone.files.has(path)) continue;
    for (const { line, specifier } of isSource(path)
      ? usagesInSource(path, text, gone, aliases)
      : usagesInSettings(path, text, gone))
      usages.push({ path, line, specifier });
  }
  return usages;
}

/**
 * @param path of a file
 * @returns whether `findUsages` reads it
 */
export function mayUse(path: string): boolean {
  return isSource(path) || settings.test(path);
}

/** Files whose lines name files and npm scripts. */
const settings = /(?:^|\/)(?:package\.json|[^/]+\.ya?ml|[^/]+\.sh|(?:[^/]+\.)?(?:Dockerfile|Makefile)(?:\.[^/]+)?)$/i;

type Place = Omit<Usage, 'path'>;

function usagesInSource(path: string, text: string, gone: Gone, aliases: unknown): Place[] {
  const isGone = (found: string): boolean => gone.files.has(found) || gone.files.has(`${found}/`);
  const specifiers = moduleSpecifiers(text).filter((found) => {
    const { specifier, isPath } = found;
    if (isPath) return isGone(resolve(path, specifier));
    if (isRelative(found)) return candidates(path, specifier).some((file) => gone.files.has(file));
    if (!specifier.startsWith('#')) return gone.packages.has(packageName(specifier));
    return targetsOf(specifier, aliases).some((target) =>
      target.startsWith('.')
        ? candidates('package.json', target).some((file) => gone.files.has(file))
        : gone.packages.has(packageName(target)),
    );
  });
  const known = new Set(specifiers.map(({ line, specifier }) => `${line} ${specifier}`));
  const texts = linesOf(text, /(?:^|\s)(?:\/\/|\/?\*).*$/, (line) =>
    line.split(/['"`]/).filter((word) => word.includes('/') && isSource(word) && namesGone(path, word, gone)),
  );
  return [...specifiers, ...texts.filter(({ line, specifier }) => !known.has(`${line} ${specifier}`))];
}

/**
 * @param text of a file
 * @param comment matches a comment that ends with its line
 * @param find returns what it finds in a line without comments
 * @returns what is found, with the number of its line
 */
function linesOf(text: string, comment: RegExp, find: (line: string) => string[]): Place[] {
  return text
    .split('\n')
    .flatMap((row, index) => find(row.replace(comment, '')).map((specifier) => ({ line: index + 1, specifier })));
}

/** Whether a path, from the file or from the service's root, is that of a removed file, of its compiled file, or of a removed folder. */
function namesGone(path: string, named: string, { files, moved }: Gone): boolean {
  const isGone = (file: string): boolean => files.has(file) && moved?.has(file) !== true;
  return [path, 'package.json'].some((from) => {
    const found = resolve(from, named);
    return isGone(found) || isGone(`${found}/`) || isGone(found.replace(/^dist\/(.*)\.js$/, '$1.ts'));
  });
}

/** @returns what a specifier with `#` may stand for, in any condition */
function targetsOf(specifier: string, aliases: unknown): string[] {
  return Object.keys(isObject(aliases) ? aliases : {}).flatMap((pattern) => {
    const [start = '', end] = pattern.split('*');
    const isMatch = end === undefined ? specifier === pattern : specifier.startsWith(start) && specifier.endsWith(end);
    const matched = isMatch && end !== undefined ? specifier.slice(start.length, specifier.length - end.length) : '';
    return isMatch ? stringsIn(fieldOf(aliases, pattern)).map((target) => target.replaceAll('*', () => matched)) : [];
  });
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

const scriptCall = /\b(?:(?:npm|pnpm|yarn|bun) (?:run )?|node --run[ =])(?:-\S+ )*([\w:.-]+)/g;

function usagesInSettings(path: string, text: string, gone: Gone): Place[] {
  return linesOf(text, /(?:^|\s)#.*$/, (line) => [
    // A path with a slash, or a file name with an ending. A word alone could be anything.
    ...line.split(/[^\w@./-]+/).filter((word) => /\/.|\w\.\w/.test(word) && namesGone(path, word, gone)),
    ...[...line.matchAll(scriptCall)].flatMap(([, name = '']) => (gone.scripts?.has(name) ? [`npm run ${name}`] : [])),
  ]);
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
