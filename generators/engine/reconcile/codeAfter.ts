import type { PlanEntry, Service } from '../model.ts';
import { decode } from '../text.ts';

/** What a plan changes: path → text afterwards (empty when it is not text), undefined when the file goes. */
export type TextsAfter = ReadonlyMap<string, string | undefined>;

/**
 * @param entries of a plan
 * @returns the texts that it changes
 */
export function textsAfter(entries: readonly PlanEntry[]): TextsAfter {
  return new Map(
    entries
      .flatMap((entry) => entry.changes)
      .map((change) => [change.path, 'remove' in change ? undefined : (decode(change.write) ?? '')]),
  );
}

/**
 * @param service as it is now
 * @param after what a plan changes
 * @yields path and text of each source file that is there afterwards
 */
export function* codeAfter({ files, read }: Service, after: TextsAfter): Generator<[path: string, text: string]> {
  for (const path of new Set([...files(), ...after.keys()])) {
    if (!/\.[cm]?[jt]sx?$/.test(path)) continue;
    const bytes = after.has(path) ? undefined : read(path)?.bytes;
    const text = bytes === undefined ? after.get(path) : decode(bytes);
    if (text !== undefined) yield [path, text];
  }
}
