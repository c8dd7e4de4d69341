import type { Renames } from './renames.ts';
import { followed, foldersOf, placeIn, withFolders, withSpecifiers } from './specifiers.ts';

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
  const formerAt = withFolders(files.flatMap(({ place, former }) => (place === undefined ? [] : [[place, former]])));
  const staying = files.flatMap(({ path, former, destination }) =>
    destination === undefined ? [] : [{ path, former, destination }],
  );
  const now = withFolders(staying.map(({ path, destination }) => [path, destination]));
  const then = new Map(staying.map(({ former, destination }) => [former, destination]));
  const destinations = new Set(now.values());
  const ifThere = (file: string): string | undefined => (destinations.has(file) ? file : undefined);
  const ifUsers = (file: string): string | undefined => (!file.startsWith('../') && isThere(file) ? file : undefined);
  return {
    toTemplates: (text, { former, place = former }) =>
      withSpecifiers(
        text,
        (found) =>
          followed(found, former, [
            [place, found.isPath ? (file) => placeIn(formerAt, file) : (file) => formerAt.get(file)],
          ])?.specifier,
      ),
    toService: (text, { path, former, destination = path }) =>
      withSpecifiers(
        text,
        (found) =>
          followed(
            found,
            destination,
            found.isPath
              ? [[path, (file) => placeIn(now, file)]]
              : [
                  [destination, ifThere],
                  [path, (file) => now.get(file)],
                  [former, (file) => then.get(file)],
                  // The import of a user's file stays the same.
                  [destination, ifUsers],
                  [path, ifUsers],
                ],
          )?.specifier,
      ),
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
    for (const [from, to] of path === place ? [] : foldersOf(path, place)) {
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
