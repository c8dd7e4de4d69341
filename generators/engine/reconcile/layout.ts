import { moduleSpecifiers } from './moduleSpecifiers.ts';
import type { Renames } from './renames.ts';
import { candidates } from './usages.ts';

/** A template file in a service. */
export interface Located {
  /** The path in the templates. */
  readonly path: string;
  /** The path in the templates of the last update. */
  readonly former: string;
  /** The current path in the service. It is undefined when the file does not exist. */
  readonly place: string | undefined;
  /** The future path in the service. It is undefined when the templates no longer contain the file. */
  readonly destination: string | undefined;
}

/** Translates between the layout of the templates and the layout of a service in which the user has moved files. */
export interface Layout {
  /** Takes the text of a file at `place`. Changes its imports to those that the templates had in the file at `former`. */
  readonly toTemplates: (text: string, file: Located) => string;
  /** Takes the text of a file at `path` in the templates. Changes its imports so that they resolve from the file's destination. */
  readonly toService: (text: string, file: Located) => string;
}

/**
 * The user may move files and folders of Slipway and rewrite the imports. Slipway compares and merges texts in the layout of the
 * templates, so a rewritten import does not count as an edit. Slipway writes texts in the layout of the service.
 * @param files of the templates
 * @param isThere whether the service has a file at a place
 * @returns the translation between the two layouts; undefined when the user has moved nothing
 */
export function layoutOf(files: readonly Located[], isThere: (place: string) => boolean): Layout | undefined {
  const isMoved = ({ path, former, place, destination }: Located): boolean =>
    (place ?? former) !== former || (destination ?? path) !== path;
  if (!files.some(isMoved)) return undefined;
  const formerAt = new Map(files.flatMap(({ place, former }) => (place === undefined ? [] : [[place, former]])));
  const staying = files.flatMap(({ path, former, destination }) =>
    destination === undefined ? [] : [{ path, former, destination }],
  );
  const now = new Map(staying.map(({ path, destination }) => [path, destination]));
  const then = new Map(staying.map(({ former, destination }) => [former, destination]));
  const destinations = new Set(now.values());
  const isUsers = (file: string): boolean => !file.startsWith('../') && isThere(file);
  return {
    toTemplates: (text, { former, place = former }) =>
      withSpecifiers(text, (specifier) => {
        const found = candidates(place, specifier).find((file) => formerAt.has(file));
        const target = found === undefined ? undefined : formerAt.get(found);
        if (found === undefined || target === undefined || (former === place && target === found)) return undefined;
        return relativeSpecifier(former, target, endingOf(specifier, found));
      }),
    toService: (text, { path, former, destination = path }) =>
      withSpecifiers(text, (specifier) => {
        if (candidates(destination, specifier).some((file) => destinations.has(file))) return undefined;
        const [fromPath, fromFormer] = [candidates(path, specifier), candidates(former, specifier)];
        const found = fromPath.find((file) => now.has(file)) ?? fromFormer.find((file) => then.has(file));
        const target = found === undefined ? undefined : (now.get(found) ?? then.get(found));
        if (found !== undefined && target !== undefined)
          return relativeSpecifier(destination, target, endingOf(specifier, found));
        // The import of a user's file stays the same.
        if (candidates(destination, specifier).some(isUsers)) return undefined;
        const own = fromPath.find(isUsers);
        return own === undefined ? undefined : relativeSpecifier(destination, own, endingOf(specifier, own));
      }),
  };
}

/**
 * Finds folders that the user has moved as a whole: at least two files are in the same new folder, and no file is left in the former
 * folder.
 * @param files path in the templates and place in the service of each file that the user has not deleted
 * @returns former folder → current folder, each ending with `/`; it applies to new files, too
 */
export function movedFolders(files: readonly (readonly [path: string, place: string])[]): Renames {
  const counts = new Map<string, Map<string, number>>();
  for (const [path, place] of files) {
    for (const [from, to] of foldersOf(path, place)) {
      const goals = counts.get(from) ?? new Map<string, number>();
      counts.set(from, goals.set(to, (goals.get(to) ?? 0) + 1));
    }
  }
  const folders: Record<string, string> = {};
  for (const [from, goals] of counts) {
    const inside = files.filter(([path]) => path.startsWith(from));
    const [to, count] = [...goals].reduce((best, goal) => (goal[1] > best[1] ? goal : best));
    if (count > 1 && count > inside.length / 2 && inside.every(([path, place]) => path !== place)) folders[from] = to;
  }
  return folders;
}

/** Returns each pair of folders in which a moved file has the same relative path. */
function foldersOf(path: string, place: string): [from: string, to: string][] {
  const [parts, others] = [path.split('/'), place.split('/')];
  const pairs: [string, string][] = [];
  if (path === place) return pairs;
  for (let below = 1; below < Math.min(parts.length, others.length); below += 1) {
    if (parts.at(-below) !== others.at(-below)) break;
    pairs.push([`${parts.slice(0, -below).join('/')}/`, `${others.slice(0, -below).join('/')}/`]);
  }
  return pairs;
}

/**
 * @param text of a source file
 * @param change returns the new specifier of a relative import, or undefined to keep it
 * @returns the text with the new specifiers
 */
export function withSpecifiers(text: string, change: (specifier: string) => string | undefined): string {
  const lines = text.split('\n');
  for (const { specifier, line } of moduleSpecifiers(text)) {
    const next = specifier.startsWith('.') ? change(specifier) : undefined;
    if (next === undefined || next === specifier) continue;
    lines[line - 1] = ["'", '"', '`'].reduce(
      (present, quote) => present.replaceAll(quote + specifier + quote, quote + next + quote),
      lines[line - 1] ?? '',
    );
  }
  return lines.join('\n');
}

/**
 * @param specifier as the importer writes it
 * @param file the file that it resolves to
 * @returns the file extension in the specifier: the file's own, that of the compiled file, or none
 */
export function endingOf(specifier: string, file: string): string | undefined {
  const stem = /([^/]+)\.\w+$/.exec(file)?.[1] ?? '';
  const at = specifier.lastIndexOf(`/${stem}`);
  return at === -1 ? undefined : specifier.slice(at + 1 + stem.length);
}

/**
 * @param importer path of the importing file
 * @param file path of the imported file
 * @param ending extension that replaces the file's own in the specifier
 * @returns the specifier
 */
export function relativeSpecifier(importer: string, file: string, ending: string | undefined): string {
  const target = (ending === undefined ? file : file.replace(/\.\w+$/, ending)).split('/');
  const folders = importer.split('/').slice(0, -1);
  let shared = 0;
  while (shared < folders.length && folders[shared] === target[shared]) shared += 1;
  const up = folders.slice(shared).map(() => '..');
  return [...(up.length === 0 ? ['.'] : up), ...target.slice(shared)].join('/');
}
