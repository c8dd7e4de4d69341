import { parseJson, printJson } from './jsonTree.ts';
import type { TreeMap } from './tree.ts';

/** Begins a comment after the recorded base. The comment contains the user's values that theirs replaced, as JSON by pointer. */
const mark = '// before: ';
const style = { endOfLine: '\n', step: '  ', inline: new Set<never>() };

/**
 * @param base a recorded base
 * @returns its text, and the user's earlier values
 */
export function readBefore(base: string): { readonly text: string; readonly before: TreeMap } {
  const lines = base.split('\n');
  const last = lines.at(-1) ?? '';
  const before = last.startsWith(mark) ? parseJson(last.slice(mark.length)) : undefined;
  return before === undefined
    ? { text: base, before: new Map() }
    : { text: lines.slice(0, -1).join('\n'), before: before.tree };
}

/**
 * @param text a base
 * @param before the user's earlier values, by pointer
 * @returns the base to record; {@link readBefore} returns both parts of it
 */
export function writeBefore(text: string, before: TreeMap): string {
  return before.size === 0 ? text : `${text}\n${mark}${printJson(before, undefined, style)}`;
}
