import { endOfLine, lineIndent } from './jsonText.ts';
import { printJson } from './jsonTree.ts';
import type { TreeConflict } from './mergeTree.ts';
import type { Tree } from './tree.ts';
import type { Side } from '../../model.ts';

/**
 * @param index of a conflict
 * @returns a value for its place, until {@link markConflicts} replaces it
 */
export function placeholder(index: number): string {
  return JSON.stringify(`\0conflict ${index}\0`);
}

/** A placeholder, its key, and the comma after it. */
const places = /(?:"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*)?"\\u0000conflict (\d+)\\u0000"\s*,?/g;

/**
 * Shows conflicts with diff3's markers around their lines.
 * @param text JSON with placeholders
 * @param conflicts by the number in their placeholder
 * @param inline objects and arrays that are written on one line
 * @returns the text with markers
 */
export function markConflicts(text: string, conflicts: readonly TreeConflict[], inline: ReadonlySet<Tree>): string {
  const newLine = endOfLine(text);
  const style = { endOfLine: newLine, step: '  ', inline };
  const show = (line: string, side: Side): string[] => {
    const indent = lineIndent(line, line.length);
    const shown = line.replace(places, (place: string, index: string) => {
      const value = conflicts[Number(index)]?.[side];
      // A value that a side does not have leaves that side empty.
      if (value === undefined) return '';
      return place.replace(placeholder(Number(index)), () => printJson(value, indent, style));
    });
    return shown.trim() === '' ? [] : [shown];
  };
  return text
    .split(newLine)
    .flatMap((line) =>
      line.search(places) === -1
        ? [line]
        : [
            '<<<<<<< yours',
            ...show(line, 'yours'),
            '||||||| base',
            ...show(line, 'base'),
            '=======',
            ...show(line, 'theirs'),
            '>>>>>>> slipway',
          ],
    )
    .join(newLine);
}
