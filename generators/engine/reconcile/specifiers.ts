import { isRelative, moduleSpecifiers, type ModuleSpecifier } from './moduleSpecifiers.ts';

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
 * @param importer path of the importing file
 * @param specifier relative
 * @returns paths of the files that it may refer to
 */
export function candidates(importer: string, specifier: string): string[] {
  const path = resolve(importer, specifier);
  const ending = /\.[cm]?js$/.exec(path)?.[0] ?? '';
  const sources = (compiledFrom[ending] ?? []).map((source) => path.slice(0, -ending.length) + source);
  return [...endings.map((more) => path + more), ...sources].map((candidate) => candidate.replace(/^\//, ''));
}

/**
 * @param importer path of a file
 * @param specifier relative to it; a query and a hash are ignored
 * @returns the path from the service's root, without a slash at its end
 */
export function resolve(importer: string, specifier: string): string {
  const parts = importer.split('/').slice(0, -1);
  for (const part of specifier.replace(/[?#].*$/, '').split('/')) {
    // A path outside the service is not a file of the service, so the `..` stays.
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** A path of an importing file, and where each file or folder is that it may name: undefined for what does not exist. A folder ends with `/`. */
export type Origin = readonly [importer: string, placeOf: (file: string) => string | undefined];

/**
 * @param found a relative specifier
 * @param importer the future path of the importing file
 * @param origins paths from which the specifier may resolve; the first one from which it does decides
 * @returns what it resolves to, and the specifier of its place; undefined when nothing is found, or nothing changes
 */
export function followed(
  { specifier, isPath }: Pick<ModuleSpecifier, 'specifier' | 'isPath'>,
  importer: string,
  origins: readonly Origin[],
): { readonly file: string; readonly specifier: string } | undefined {
  for (const [from, placeOf] of origins) {
    const path = resolve(from, specifier);
    for (const file of isPath ? [path, `${path}/`] : candidates(from, specifier)) {
      const place = placeOf(file);
      if (place === undefined) continue;
      if (from === importer && place === file) return undefined;
      if (!isPath) return { file, specifier: relative(importer, withEnding(place, endingOf(specifier, file))) };
      const [tail = ''] = /\/?(?:[?#].*)?$/.exec(specifier) ?? [];
      return { file, specifier: relative(importer, place).replace(/\/$/, '') + tail };
    }
  }
  return undefined;
}

/**
 * @param places see `withFolders`
 * @param file path of a file or folder
 * @returns its current place; an unknown one is inside the nearest folder that is known; undefined outside of the service
 */
export function placeIn(places: ReadonlyMap<string, string>, file: string): string | undefined {
  if (file === '..' || file.startsWith('../')) return undefined;
  const known = places.get(file) ?? places.get(`${file}/`)?.slice(0, -1);
  const end = file.lastIndexOf('/');
  return known ?? (end === -1 ? file : `${placeIn(places, file.slice(0, end))}${file.slice(end)}`);
}

/**
 * @param files former → current path
 * @returns the same, with the folders of the files, each ending with `/`; a folder stays as long as a file in it does
 */
export function withFolders(files: Iterable<readonly [former: string, place: string]>): Map<string, string> {
  const places = new Map(files);
  const [staying, moved] = [[...places].filter(([a, b]) => a === b), [...places].filter(([a, b]) => a !== b)];
  for (const [former, place] of [...staying, ...moved]) {
    for (const [from, to] of foldersOf(former, place)) if (!places.has(from)) places.set(from, to);
  }
  return places;
}

/**
 * @param former path of a file
 * @param place another path of it
 * @returns each pair of folders in which the file has the same relative path, each ending with `/`
 */
export function foldersOf(former: string, place: string): [from: string, to: string][] {
  const [parts, others] = [former.split('/'), place.split('/')];
  const pairs: [string, string][] = [];
  for (let below = 1; below < Math.min(parts.length, others.length); below += 1) {
    if (parts.at(-below) !== others.at(-below)) break;
    pairs.push([`${parts.slice(0, -below).join('/')}/`, `${others.slice(0, -below).join('/')}/`]);
  }
  return pairs;
}

/**
 * @param text of a source file
 * @param change returns the new text of a relative specifier, or undefined to keep it
 * @returns the text with the new specifiers
 */
export function withSpecifiers(text: string, change: (found: ModuleSpecifier) => string | undefined): string {
  const lines = text.split('\n');
  for (const found of moduleSpecifiers(text)) {
    const next = isRelative(found) ? change(found) : undefined;
    if (next === undefined || next === found.specifier) continue;
    lines[found.line - 1] = ["'", '"', '`'].reduce(
      (present, quote) => present.replaceAll(quote + found.specifier + quote, quote + next + quote),
      lines[found.line - 1] ?? '',
    );
  }
  return lines.join('\n');
}

/** Returns the file extension in the specifier: the file's own, that of the compiled file, or none. */
function endingOf(specifier: string, file: string): string | undefined {
  const stem = /([^/]+)\.\w+$/.exec(file)?.[1] ?? '';
  const at = specifier.lastIndexOf(`/${stem}`);
  return at === -1 ? undefined : specifier.slice(at + 1 + stem.length);
}

function withEnding(file: string, ending: string | undefined): string {
  return ending === undefined ? file : file.replace(/\.\w+$/, () => ending);
}

function relative(importer: string, file: string): string {
  const target = file.split('/');
  const folders = importer.split('/').slice(0, -1);
  let shared = 0;
  while (shared < folders.length && folders[shared] === target[shared]) shared += 1;
  const up = folders.slice(shared).map(() => '..');
  return [...(up.length === 0 ? ['.'] : up), ...target.slice(shared)].join('/');
}
