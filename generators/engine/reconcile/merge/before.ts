import { parseJson, printJson } from './jsonTree.ts';
import type { TreeMap } from './tree.ts';

/** A comment behind the recorded base: what the user had in places that theirs then took, as JSON by pointer. */
const mark = '// before: ';
const style = { endOfLine: '\n', step: '  ', inline: new Set<never>() };

/**
 * @param base a recorded base
 * @returns its text, and what the user had before
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
 * @param before what the user had, by pointer
 * @returns the base to be recorded, from which {@link readBefore} gives both back
 */
export function writeBefore(text: string, before: TreeMap): string {
  return before.size === 0 ? text : `${text}\n${mark}${printJson(before, undefined, style)}`;
}
