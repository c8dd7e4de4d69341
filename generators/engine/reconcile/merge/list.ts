import { joinTouching, mergeText } from './text.ts';
import type { ConflictStyle, Merged, Trio } from '../../model.ts';

/**
 * @param path of a file
 * @returns whether each line of the file is an item of its own
 */
export function isListFile(path: string): boolean {
  return /(?:^|\/)\.[a-z]+(?:ignore|attributes)$/.test(path);
}

/**
 * Merges a list of patterns, such as `.gitignore`. Lines that both sides add in one place are all kept. A list that the user had before
 * gets the lines that it lacks.
 * @param texts base (empty for none), yours and theirs
 * @param style how the merged text shows a conflict
 * @returns the merged text
 */
export function mergeList(texts: Trio<string>, style: ConflictStyle): Merged {
  const byLine = mergeText(texts, style);
  if (byLine.conflicts.length === 0) return byLine;
  const own = new Set(texts.yours.split('\n').filter((line) => line.trim() !== ''));
  const lacking = texts.theirs.split('\n').filter((line) => !own.has(line));
  const rest = texts.base === '' ? { ...texts, theirs: lacking.join('\n') } : texts;
  const joined = joinTouching(rest, 'yours') ?? joinTouching(rest, 'theirs');
  return joined === undefined ? byLine : { text: joined, conflicts: [], base: texts.theirs };
}
