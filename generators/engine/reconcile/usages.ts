import { isSource, moduleSpecifiers } from './moduleSpecifiers.ts';

/** A place in the user's code that needs a file or package that the plan removes. */
export interface Usage {
  readonly path: string;
  /** Line, counted from 1. */
  readonly line: number;
  readonly specifier: string;
}

/** The files and packages that the plan removes. */
export interface Gone {
  /** Paths from the service's root. */
  readonly files: ReadonlySet<string>;
  /** Names of npm packages. */
  readonly packages: ReadonlySet<string>;
}

/** Endings that an import may omit. `compiledFrom` maps the ending of a compiled file to the endings of its source. */
const endings = [
  '',
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
  '.cjs',
  '.json',
  '/index.ts',
  '/index.tsx',
  '/index.js',
];
const compiledFrom: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/**
 * Finds the places that import, export from, or require a removed file or package.
 * @param files path and text of the remaining files; only sources are read, and removed files are skipped
 * @param gone the removed files and packages
 * @returns the places, in the order of the files
 */
export function findUsages(files: Iterable<readonly [path: string, text: string]>, gone: Gone): Usage[] {
  const usages: Usage[] = [];
  for (const [path, text] of files) {
    if (!isSource(path) || gone.files.has(path)) continue;
    for (const { specifier, line } of moduleSpecifiers(text)) {
      const uses = specifier.startsWith('.')
        ? candidates(path, specifier).some((candidate) => gone.files.has(candidate))
        : gone.packages.has(packageName(specifier));
      if (uses) usages.push({ path, line, specifier });
    }
  }
  return usages;
}

/**
 * @param importer path of the importing file
 * @param specifier relative
 * @returns paths of the files that it may refer to
 */
export function candidates(importer: string, specifier: string): string[] {
  const path = resolve(importer, specifier.replace(/[?#].*$/, ''));
  const ending = /\.[cm]?js$/.exec(path)?.[0] ?? '';
  const sources = (compiledFrom[ending] ?? []).map((source) => path.slice(0, -ending.length) + source);
  return [...endings.map((more) => path + more), ...sources].map((candidate) => candidate.replace(/^\//, ''));
}

function resolve(importer: string, specifier: string): string {
  const parts = importer.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    // A path outside the service is not a file of the service, so the `..` stays.
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
