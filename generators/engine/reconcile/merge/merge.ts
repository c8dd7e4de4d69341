import { mergeJson } from './json.ts';
import { mergeKeyed } from './keyed.ts';
import { withLf, withLineEndsOf } from './lineEnds.ts';
import { isListFile, mergeList } from './list.ts';
import { formatOf } from './syntax.ts';
import { mergeText } from './text.ts';
import type { ConflictStyle, Merged, Trio } from '../../model.ts';

export { findFault } from './syntax.ts';

const byteOrderMark = '\uFEFF';

/**
 * Merges one file three ways. The result keeps the byte order mark and the line ends of yours. A result that is not valid (YAML, JSON,
 * settings, source code), repeats a key, or lacks a change of one side, is a conflict.
 * @param path the file's path; its name selects the merge: JSON by key, YAML and settings by line and then by key, other files by line
 * @param base the text that Slipway last wrote
 * @param yours the text on disk
 * @param theirs the text that Slipway would write now
 * @param style how the merged text shows a conflict
 * @returns the merged text, the conflicts, and the next base to record; it never throws
 */
export function merge(path: string, base: string, yours: string, theirs: string, style: ConflictStyle): Merged {
  if (yours === base) return { text: theirs, conflicts: [], base: theirs };
  if (theirs === base) return { text: yours, conflicts: [], base };
  const isJson = path.endsWith('.json');
  // JSON is edited in place. A text with mixed line ends keeps each of them.
  const plain = (text: string) => (isJson && !isWhollyCrlf(yours) ? unmarked(text) : withLf(unmarked(text)));
  const merged = mergePlain(path, { base: plain(base), yours: plain(yours), theirs: plain(theirs) }, style);
  const marked = [yours, base, theirs].map((text) => text.startsWith(byteOrderMark));
  const mark = (marked[0] === marked[1] ? marked[2] : marked[0]) ? byteOrderMark : '';
  const text = plain(yours) === unmarked(yours) ? merged.text : withLineEndsOf(merged.text, unmarked(yours));
  return {
    ...merged,
    text: mark + text,
    base: merged.base === plain(theirs) ? theirs : merged.base,
  };
}

function unmarked(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function mergePlain(path: string, texts: Trio<string>, style: ConflictStyle): Merged {
  if (texts.yours === texts.base) return { text: texts.theirs, conflicts: [], base: texts.theirs };
  if (path.endsWith('.json')) return mergeJson(path, texts, style);
  if (isListFile(path)) return mergeList(texts, style);
  const format = formatOf(path);
  return format === undefined ? mergeText(texts, style) : mergeKeyed(texts, style, format);
}

function isWhollyCrlf(text: string): boolean {
  return text.includes('\r\n') && !/(?<!\r)\n/.test(text);
}
