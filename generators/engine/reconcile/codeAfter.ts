import type { PlanEntry, Service } from '../model.ts';
import { decode } from '../text.ts';

/** The changes of a plan: path → new text. The text is empty for a binary file, and undefined for a deleted file. */
export type TextsAfter = ReadonlyMap<string, string | undefined>;

/**
 * @param entries of a plan
 * @returns the texts that they change
 */
export function textsAfter(entries: readonly PlanEntry[]): TextsAfter {
  return new Map(
    entries
      .flatMap((entry) => entry.changes)
      .map((change) => [change.path, 'remove' in change ? undefined : (decode(change.write) ?? '')]),
  );
}

/**
 * @param service the current state of the service
 * @param after the changes of a plan
 * @param isRead whether a file is read
 * @yields path and text of each such file that exists after the plan
 */
export function* codeAfter(
  { files, read }: Service,
  after: TextsAfter,
  isRead: (path: string) => boolean,
): Generator<[path: string, text: string]> {
  for (const path of new Set([...files(), ...after.keys()])) {
    if (!isRead(path)) continue;
    const bytes = after.has(path) ? undefined : read(path)?.bytes;
    const text = bytes === undefined ? after.get(path) : decode(bytes);
    if (text !== undefined) yield [path, text];
  }
}
